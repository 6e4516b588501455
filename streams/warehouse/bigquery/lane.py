"""One place's way into BigQuery: its write stream, how many rows are in it, and what was sent and not answered."""

from collections.abc import Callable, Sequence
from typing import Final

import structlog

from streams.warehouse.bigquery.answers import Again, Answer, BadRows, Gone, Stored, Unclear
from streams.warehouse.bigquery.rows import Chunk, RowCodec
from streams.warehouse.bigquery.streams import Connection
from streams.warehouse.tables import Row

Connect = Callable[[], Connection]

DOUBTS_MAX: Final = 12
"""So many answers one after the other that may be the stream's own fault, and another stream is tried."""

OFFSETS_SAID_MAX: Final = 10

_NOTHING_LEFT: Final = Again("BigQuery refuses rows even without their contents: look at the table")

log = structlog.get_logger()


class Lane:
    """Used for one request at a time: `send`, then `settle`. Nobody else writes to its stream.

    Attributes:
        stream: the name of its write stream.
    """

    def __init__(self, stream: str, codec: RowCodec, connect: Connect, *, place: str) -> None:
        self.stream = stream
        self._place = place
        self._codec = codec
        self._connect = connect
        self._connection: Connection | None = None
        self._rows_in = 0
        self._unanswered: Chunk | None = None
        self._rows_max: int | None = None
        self._doubts = 0

    def send(self, rows: Sequence[Row], next_offset: int) -> None:
        """Send the first of them; or what was sent before, as it was, if it is not known what became of that."""
        if self._unanswered is None:
            self._unanswered = self._codec.first_chunk(rows, next_offset, self._rows_max)
        if self._connection is not None and self._connection.is_old:
            self.disconnect()
        if self._connection is None:
            self._connection = self._connect()
        self._connection.send(self._unanswered.encoded, self._rows_in)

    def settle(self) -> tuple[Answer, int | None]:
        """Wait for what became of it; and the offset before which everything is there now, where that is known."""
        assert self._connection is not None  # noqa: S101 - `send` goes before
        assert self._unanswered is not None  # noqa: S101 - as above
        chunk, answer = self._unanswered, self._connection.answer()
        match answer:
            case Stored():
                self._rows_in += len(chunk.rows)
                self._unanswered, self._doubts = None, 0
                self._widen(len(chunk.rows))
                return answer, chunk.next_offset
            case BadRows(indexes):
                return answer if self._cut(chunk, indexes) else _NOTHING_LEFT, None
            case Unclear(why):
                self.disconnect()
                return self._narrowed(chunk, why), None
            case _:
                self.disconnect()
                return self._doubted(answer), None

    def _narrowed(self, chunk: Chunk, why: str) -> Answer:
        """In a stream that has taken rows, it is the stream; in a new one it is a row, which is looked for by halves.

        Were any of these rows there already, they would be at the same place of the stream.
        """
        if self._rows_in and self._rows_max is None:
            return Gone(why)
        if len(chunk.rows) == 1:
            return Again(why) if self._cut(chunk, [0]) else _NOTHING_LEFT
        self._codec.halve(chunk)
        self._rows_max = len(chunk.rows)
        return Again(why)

    def _cut(self, chunk: Chunk, indexes: Sequence[int]) -> bool:
        """Whether there was anything left to cut; BigQuery's own words are not said, as they may cite the row."""
        offsets = [self._codec.table.offset_of(chunk.rows[index]) for index in indexes[:OFFSETS_SAID_MAX]]
        log.warning("BigQuery refuses rows: they go with less", place=self._place, rows=len(indexes), offsets=offsets)
        return self._codec.without(chunk, indexes)

    def _widen(self, rows: int) -> None:
        """What follows may be more again; one that had room for more ends the search."""
        if self._rows_max is not None:
            self._rows_max = self._rows_max * 2 if rows == self._rows_max else None

    def _doubted(self, answer: Answer) -> Answer:
        if not isinstance(answer, Again) or not answer.is_doubtful:
            return answer
        self._doubts += 1
        return answer if self._doubts < DOUBTS_MAX else Gone(answer.why)

    def disconnect(self) -> None:
        """Close the connection; the stream stays."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
