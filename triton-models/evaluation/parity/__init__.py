"""Holds the served pipeline against the official recipe: same weights, same photo, same seeds."""
