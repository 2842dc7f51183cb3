"""Scenarios for ghz (github.com/bojand/ghz), completed with what is served and run one after the other."""
