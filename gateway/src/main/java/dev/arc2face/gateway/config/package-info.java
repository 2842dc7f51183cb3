/** Configuration: one interface for each concern, every key with a default. */
@NullMarked
package dev.arc2face.gateway.config;

import org.jspecify.annotations.NullMarked;
