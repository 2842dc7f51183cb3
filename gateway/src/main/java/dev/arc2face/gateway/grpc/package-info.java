/** The public gRPC service: requests to the domain, events to the stream, failures to statuses, admission, readiness. */
@NullMarked
package dev.arc2face.gateway.grpc;

import org.jspecify.annotations.NullMarked;
