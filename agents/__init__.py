"""Verbs: what is done with a chunk of records, from decoding to its conclusions. Pure, but for the ports."""
