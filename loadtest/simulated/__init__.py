"""A model repository of the full profile's tensors that takes a GPU's time and computes nothing."""
