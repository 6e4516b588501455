"""Erases a person from what we keep."""
