"""Nouns: what comes in, what is sent, what is said about it. No behaviour that touches the outside."""
