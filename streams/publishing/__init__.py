"""Putting records on the input topics: files, and invented sample traffic."""
