"""What loaders say of their write streams in the dataset's register, and what they ask of it."""

import time
from collections.abc import Callable, Sequence

from google.cloud.bigquery.table import RowIterator

from schemas.errors import UnavailableError
from streams.warehouse.bigquery.answers import Denied, Stored
from streams.warehouse.bigquery.connect import Clients
from streams.warehouse.bigquery.register import (
    REGISTER,
    Opened,
    open_streams_query,
    opened_from,
    progress_from,
    progress_query,
)
from streams.warehouse.bigquery.rest import QUERY_S, asking, query
from streams.warehouse.bigquery.rows import RowCodec
from streams.warehouse.bigquery.streams import WriteStreams
from streams.warehouse.bigquery.tries import Refusals, Until
from streams.warehouse.port import Place
from streams.warehouse.tables import Row


class Notes:
    """Those of one dataset.

    Attributes:
        refusals: of its tables, by whomever they are met.
    """

    def __init__(self, clients: Clients, streams: WriteStreams, *, clock: Callable[[], float] = time.time) -> None:
        self._clients = clients
        self._streams = streams
        self._codec = RowCodec(REGISTER)
        self._clock = clock
        self.refusals = Refusals(clock)

    def now_us(self) -> int:
        """By our clock."""
        return round(self._clock() * 1_000_000)

    def until(self) -> Until:
        """When a takeover that begins now has to end."""
        return Until(self._clock)

    def write(self, rows: Sequence[Row]) -> None:
        """Add these; when this returns, everybody who asks is told of them.

        Raises:
            ConfigError: we may not, for some time.
            UnavailableError: it is not known whether they are there.
        """
        connection = self._streams.connected(self._streams.default(REGISTER.name), self._codec, kept_s=0)
        try:
            connection.send([self._codec.encoded(row) for row in rows], None)
            answer = connection.answer()
            if isinstance(answer, Denied):
                raise UnavailableError(self.refusals.why(self._clients.dataset.table(REGISTER.name), answer.why))
            if not isinstance(answer, Stored):
                raise UnavailableError(getattr(answer, "why", "BigQuery refuses what its loaders note"))
            self.refusals.ended(self._clients.dataset.table(REGISTER.name))
        finally:
            connection.close()

    def open_streams(self, until: Until) -> list[Opened]:
        """Which write streams may still take rows."""
        return opened_from(self._ask(open_streams_query(self._clients.dataset), until))

    def progress(self, until: Until | None = None) -> dict[Place, int]:
        """How far every place is."""
        return progress_from(self._ask(progress_query(self._clients.dataset), until))

    def _ask(self, sql: str, until: Until | None) -> RowIterator:
        with asking(f"dataset {self._clients.dataset}"):
            return query(self._clients.rest, sql, wait_s=None if until is None else until.left(QUERY_S))
