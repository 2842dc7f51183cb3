/**
 * The service over HTTP and JSON. It reads requests, has them served as calls of the service, and writes answers; what
 * holds for every call is not here.
 */
@NullMarked
package dev.arc2face.gateway.rest;

import org.jspecify.annotations.NullMarked;
