/** The model server: tensors, models, their contract, and the channel to Triton. */
@NullMarked
package dev.arc2face.gateway.triton;

import org.jspecify.annotations.NullMarked;
