package dev.arc2face.gateway.diffusion;

import com.google.protobuf.ByteString;

/**
 * What the UNet is told about the identity, and its unconditional twin: {@code [T, C]} each, of the UNet's element type,
 * little endian. The bytes are shared by every call of a generation.
 */
record Context(ByteString conditional, ByteString unconditional) {
    /** The rows of one picture: the conditional one, with the unconditional one before it where there are two. */
    ByteString rows(int perPicture) {
        return perPicture == 1 ? conditional : unconditional.concat(conditional);
    }
}
