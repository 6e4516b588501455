"""Goes through the letters of a selection, reading no more of the dead-letter topic than it must."""

from collections.abc import Iterator

from streams.dead_letters.letter import Letter
from streams.dead_letters.letters import Letters
from streams.dead_letters.selection import Selection


def selected(letters: Letters, selection: Selection, *, partition: int | None = None) -> Iterator[Letter]:
    """Yield them, partition by partition (or of this one), oldest first."""
    for each in selection.partitions(letters.partitions()):
        if partition is None or each == partition:
            yield from _of_partition(letters, selection, each)


def _of_partition(letters: Letters, selection: Selection, partition: int) -> Iterator[Letter]:
    missing = {name for name in selection.names if name.partition == partition}
    # A letter lies where its name says, or behind that, where it was written anew.
    start = min(missing).offset if missing else None
    for found in letters.read(partition, start=start):
        if selection.matches(found):
            yield found
            missing.discard(found.letter.name)
            if selection.names and not missing:
                return
