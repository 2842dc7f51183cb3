/** Spans: what was done for a call, for how long, and inside of what. */
@NullMarked
package dev.arc2face.gateway.trace;

import org.jspecify.annotations.NullMarked;
