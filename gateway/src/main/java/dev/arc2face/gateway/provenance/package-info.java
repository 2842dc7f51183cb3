/** What a picture says of where it comes from: its id, and the metadata in its file. */
@NullMarked
package dev.arc2face.gateway.provenance;

import org.jspecify.annotations.NullMarked;
