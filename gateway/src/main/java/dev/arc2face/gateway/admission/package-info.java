/** Who gets a place, whose turn it is, and what can be done in time: from a call's first byte to a running generation. */
@NullMarked
package dev.arc2face.gateway.admission;

import org.jspecify.annotations.NullMarked;
