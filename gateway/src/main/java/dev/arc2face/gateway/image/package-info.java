/** Bytes to pixels and back: decoding within budgets, EXIF orientation, resampling, encoding. */
@NullMarked
package dev.arc2face.gateway.image;

import org.jspecify.annotations.NullMarked;
