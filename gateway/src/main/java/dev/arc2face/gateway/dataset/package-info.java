/**
 * Synthetic data sets as folders: identities that are nobody's, pictures with their records, manifests, the data card. It
 * draws no picture and knows no server.
 */
@NullMarked
package dev.arc2face.gateway.dataset;

import org.jspecify.annotations.NullMarked;
