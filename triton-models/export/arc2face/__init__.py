"""Exports the published Arc2Face networks to the contract's models (docs/arc2face.md)."""
