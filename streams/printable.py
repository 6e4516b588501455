"""Texts from records, as a terminal may be given them."""


def printable(text: str) -> str:
    """A text from a record, without what would steer the terminal."""
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text)
