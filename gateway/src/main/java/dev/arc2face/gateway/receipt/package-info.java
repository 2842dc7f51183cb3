/** Receipts: what pictures came from, bound to their photo and signed, and how that is checked. */
@NullMarked
package dev.arc2face.gateway.receipt;

import org.jspecify.annotations.NullMarked;
