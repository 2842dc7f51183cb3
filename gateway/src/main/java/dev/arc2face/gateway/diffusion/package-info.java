/** Noise, schedules, guidance and the denoising loop: from an identity to finished portraits. */
@NullMarked
package dev.arc2face.gateway.diffusion;

import org.jspecify.annotations.NullMarked;
