"""For each offset of a partition: whether a record is there, and how many results it has; a byte each, in pages.

Pages that are not in use are kept compressed: one in which all is as it should be takes some 100 bytes for its 65,536
offsets. So memory stays flat, and neither records nor results need come in any order.
"""

import re
import zlib
from collections.abc import Iterator, Sequence
from typing import Final

PAGE_OFFSETS: Final = 65_536
OPEN_PAGES_MAX: Final = 16
COMPRESSION: Final = 1

THERE: Final = 0x80
RESULTS_MAX: Final = 0x7F
"""What is beyond is not counted."""

_PUT: Final = bytes(each | THERE for each in range(256))
_ADD: Final = bytes(each if each & RESULTS_MAX == RESULTS_MAX else each + 1 for each in range(256))

RECORD: Final = bytes(each for each in range(256) if each & THERE)
MISSING: Final = bytes([THERE])
SEVERAL: Final = bytes(each for each in range(256) if each & RESULTS_MAX > 1)
RESULT_ALONE: Final = bytes(range(1, THERE))


class Tally:
    """One partition's. What is asked for (`RECORD`, `MISSING`, …) is the bytes that an offset may have."""

    def __init__(self) -> None:
        self._open: dict[int, bytearray] = {}  # the page used last comes last
        self._closed: dict[int, bytes] = {}

    def put(self, offsets: Sequence[int]) -> None:
        """There are records at these offsets, which ascend."""
        self._apply(_PUT, offsets)

    def add(self, offsets: Sequence[int]) -> None:
        """There is a result, or one more, for each of these offsets; it is fast where they ascend."""
        self._apply(_ADD, offsets)

    def count(self, wanted: bytes, start: int = 0, end: int | None = None) -> int:
        """How many offsets from `start` to before `end` are of a kind."""
        return sum(len(part) - len(part.translate(None, wanted)) for _, part in self._parts(start, end))

    def each(self, wanted: bytes, start: int = 0, end: int | None = None) -> Iterator[tuple[int, int]]:
        """Yield these offsets in order, each with its number of results."""
        pattern = re.compile(b"[" + re.escape(wanted) + b"]")
        for first, part in self._parts(start, end):
            for found in pattern.finditer(part):
                yield first + found.start(), part[found.start()] & RESULTS_MAX

    def bytes_taken(self) -> int:
        """What the pages take now."""
        return len(self._open) * PAGE_OFFSETS + sum(map(len, self._closed.values()))

    def _apply(self, change: bytes, offsets: Sequence[int]) -> None:
        first, last = offsets[0], offsets[-1]
        if last - first == len(offsets) - 1 and offsets == list(range(first, last + 1)):
            self._change_run(change, first, last + 1)
            return
        number, page = -1, bytearray()
        for offset in offsets:
            if offset // PAGE_OFFSETS != number:
                number = offset // PAGE_OFFSETS
                page = self._opened(number)
            page[offset % PAGE_OFFSETS] = change[page[offset % PAGE_OFFSETS]]

    def _change_run(self, change: bytes, start: int, end: int) -> None:
        while start < end:
            number, begin = divmod(start, PAGE_OFFSETS)
            page, stop = self._opened(number), min(PAGE_OFFSETS, begin + end - start)
            page[begin:stop] = page[begin:stop].translate(change)
            start += stop - begin

    def _opened(self, number: int) -> bytearray:
        page = self._open.pop(number, None)
        if page is None:
            closed = self._closed.pop(number, None)
            page = bytearray(PAGE_OFFSETS) if closed is None else bytearray(zlib.decompress(closed))
            if len(self._open) >= OPEN_PAGES_MAX:
                oldest = next(iter(self._open))
                self._closed[oldest] = zlib.compress(self._open.pop(oldest), COMPRESSION)
        self._open[number] = page
        return page

    def _parts(self, start: int, end: int | None) -> Iterator[tuple[int, bytes | bytearray]]:
        """What the pages hold of a range, each part with its first offset."""
        for number in sorted([*self._open, *self._closed]):
            base = number * PAGE_OFFSETS
            page = self._open.get(number) or zlib.decompress(self._closed[number])
            begin, stop = max(0, start - base), PAGE_OFFSETS if end is None else max(0, end - base)
            yield base + begin, page[begin:stop]
