"""Measurements side by side: the gateway and what it is compared with, in turns on one machine."""
