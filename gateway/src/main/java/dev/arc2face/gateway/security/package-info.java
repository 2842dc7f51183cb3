/** Who calls, and what they may do. */
@NullMarked
package dev.arc2face.gateway.security;

import org.jspecify.annotations.NullMarked;
