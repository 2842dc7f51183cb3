"""Half an hour of everything at once: mixed load, callers who break off, model servers that die, and the accounts."""
