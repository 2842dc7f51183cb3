"""The paper's test in small: a recogniser trained on generated faces, beside one trained on the source faces."""
