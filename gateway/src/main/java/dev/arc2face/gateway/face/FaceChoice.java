package dev.arc2face.gateway.face;

/** Why a face was the one used. */
public enum FaceChoice {
    /** It has the largest box, in square pixels; a tie goes to the higher score. */
    LARGEST,
    /** The caller named its index. */
    REQUESTED_INDEX,
    /** The caller brought an aligned crop; nothing was detected. */
    ALIGNED_CROP,
    /** The caller brought an embedding; nothing was detected. */
    EMBEDDING,
    /** The caller brought several sources of one person. */
    AVERAGE,
    /** The caller asked for somebody between two identities. */
    INTERPOLATION
}
