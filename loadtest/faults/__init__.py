"""Generations through a gateway whose model servers die, freeze and come back."""
