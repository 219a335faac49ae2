"""Measurements, printed: each is a ratio or a count taken in one run on this machine."""
