package dev.arc2face.gateway.image;

import dev.arc2face.gateway.ErrorReason;
import dev.arc2face.gateway.FailureException;
import java.util.Map;

/** What several photos may have of pixels together. One owner, one thread. */
public final class PixelAllowance {
    private final long most;
    private long spent;

    PixelAllowance(long most) {
        this.most = most;
    }

    /** Takes so many; IMAGE_TOO_LARGE where there are not so many left. */
    void spend(long pixels) {
        spent += pixels;
        if (spent > most) {
            throw FailureException.of(
                    ErrorReason.IMAGE_TOO_LARGE,
                    "the photos up to this one have " + spent + " pixels together, more than " + most
                            + ": send smaller ones, or fewer",
                    Map.of(
                            "limit", String.valueOf(most),
                            "actual", String.valueOf(spent),
                            "unit", "pixels in all photos"));
        }
    }
}
