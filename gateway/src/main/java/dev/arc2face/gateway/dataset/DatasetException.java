package dev.arc2face.gateway.dataset;

import static java.util.Objects.requireNonNull;

/** A data set that cannot be made as it was asked for. The message says what to do. */
public final class DatasetException extends RuntimeException {
    private final Problem problem;

    /** What is wrong. */
    public enum Problem {
        /** A file of embeddings cannot be read, or has other rows than the recogniser's. */
        EMBEDDINGS_UNREADABLE,
        /** A file is no identity prior. */
        PRIOR_UNREADABLE,
        /** The identity prior was fitted to another recogniser's embeddings. */
        PRIOR_OF_OTHER_RECOGNISER,
        /** There is no further identity at the least angle from those that there are. */
        IDENTITIES_TOO_CLOSE,
        /** The folder holds something else. */
        FOLDER_HOLDS_SOMETHING_ELSE,
        /** Another run works in the folder. */
        FOLDER_IN_USE
    }

    public DatasetException(Problem problem, String message) {
        super(message);
        this.problem = requireNonNull(problem);
    }

    public Problem problem() {
        return problem;
    }

    /** The message for the person who asked. */
    public String message() {
        return requireNonNull(getMessage());
    }
}
