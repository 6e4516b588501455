"""Data that nobody else has: whoever finds a mark in an output knows that it came from a record."""

from typing import Final

MARK: Final = "zqmark"
CODED: Final = "enftyxjr"
"""A mark at the beginning of what is coded in base64, as credentials are; in lower case."""
ADDRESS: Final = "zqmark.ada@secret.example"
NAME: Final = "Zqmarkname Zqmarksurname, Zqmarkstreet 5"
OPAQUE: Final = "zqid-1"
"""A person's id that reaches nobody: commands show such, and logs, metrics and traces do not."""


def found(text: str, *, ids_too: bool) -> list[str]:
    """The lines that have a mark, also where they are escaped or in another case."""
    marks = (MARK, CODED, OPAQUE) if ids_too else (MARK, CODED)
    return [line for line in text.splitlines() if any(mark in line.lower() for mark in marks)]
