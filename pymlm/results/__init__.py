"""Frozen dataclasses that hold what R answered."""
