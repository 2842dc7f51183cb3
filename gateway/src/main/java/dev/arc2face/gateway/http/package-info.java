/** Health for load balancers and Kubernetes over HTTP. */
@NullMarked
package dev.arc2face.gateway.http;

import org.jspecify.annotations.NullMarked;
