/**
 * What else there is over HTTP: the page; at the management port health for load balancers and Kubernetes, the switch of the
 * metrics page and the exemplars on it.
 */
@NullMarked
package dev.arc2face.gateway.http;

import org.jspecify.annotations.NullMarked;
