/**
 * The Arc2Face gateway. Its packages are stations on the way of the data: {@code image} (bytes to pixels and back),
 * {@code triton} (tensors, models, the channel), {@code face} (detect, pick, align, embed, compare), {@code diffusion}
 * (noise, schedule, guidance, the loop), {@code grpc} (service, stream, errors), {@code http}, {@code cli}. A package
 * depends only on those before it.
 */
@NullMarked
package dev.arc2face.gateway;

import org.jspecify.annotations.NullMarked;
