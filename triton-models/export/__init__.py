"""Everything that writes the model repository: converted networks, exported networks, their configs."""
