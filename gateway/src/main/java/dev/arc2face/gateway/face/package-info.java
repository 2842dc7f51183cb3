/** From a photo to an identity: detect, pick, align, embed, compare. */
@NullMarked
package dev.arc2face.gateway.face;

import org.jspecify.annotations.NullMarked;
