"""Takes places over: opens a write stream for each, and shuts out whoever has had the place before.

Each step may be the last one: what is left behind is a stream that nobody uses, and that the next one closes.
"""

from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Final, NamedTuple

from google.api_core.exceptions import GoogleAPICallError
from google.rpc.code_pb2 import Code
from google.rpc.status_pb2 import Status

from schemas.errors import UnavailableError
from streams.warehouse.bigquery.answers import Denied, Gone, StorageCode, Unclear, answer_of_status, storage_code
from streams.warehouse.bigquery.notes import Notes
from streams.warehouse.bigquery.register import Opened, closed_row, opened_row
from streams.warehouse.bigquery.streams import CREATE_S, FINALISE_S, WriteStreams, status_of
from streams.warehouse.bigquery.tables import Tables
from streams.warehouse.bigquery.tries import Until
from streams.warehouse.port import Place
from streams.warehouse.tables import Table

AT_ONCE: Final = 8
"""Calls side by side; above 40 a second, BigQuery becomes slow at them."""

SETTLED_S: Final = 3_600
"""So old, a stream that BigQuery does not know is gone; before, BigQuery may only not know it yet.

By two machines' clocks, so it is far longer than the minutes that BigQuery needs."""

_UNKNOWN: Final = frozenset({Code.NOT_FOUND, Code.INVALID_ARGUMENT, Code.PERMISSION_DENIED})
_CLOSED: Final = frozenset({StorageCode.STREAM_FINALIZED, StorageCode.STREAM_ALREADY_COMMITTED})


class Taken(NamedTuple):
    """What has become of the places: the streams of those that are ours, how far places are, what keeps the others."""

    streams: Mapping[Place, str]
    progress: Mapping[Place, int]
    troubles: Mapping[Place, str]


class TakeOver:
    """One loader's."""

    def __init__(self, streams: WriteStreams, notes: Notes, tables: Tables) -> None:
        self._streams = streams
        self._notes = notes
        self._tables = tables
        self._begun: dict[Place, str] = {}

    def take(self, places: Mapping[Place, Table], until: Until) -> Taken:
        """Give each a write stream of ours; no other one of a place that is taken takes rows any more.

        Raises:
            ConfigError: a table is gone, or we may not, for some time.
            UnavailableError: BigQuery does not answer; the streams that are open by now are used at the next try.
        """
        with ThreadPoolExecutor(AT_ONCE) as pool:
            begun = pool.map(partial(self._begin, until), places, places.values())
            troubles = {place: why for place, why in zip(places, begun, strict=True) if why}
            ours = {place: self._begun[place] for place in places.keys() - troubles}
            if not ours:
                return Taken({}, {}, troubles)
            until.left(0)
            self._notes.write([opened_row(place, stream, self._notes.now_us()) for place, stream in ours.items()])
            others = [
                each
                for each in self._notes.open_streams(until)
                if each.place in ours and each.stream != ours[each.place]
            ]
            whys = list(pool.map(partial(self._shut_out, until), others))
        self.note_closed((each.place, each.stream) for each, why in zip(others, whys, strict=True) if not why)
        troubles |= {each.place: why for each, why in zip(others, whys, strict=True) if why}
        progress = self._notes.progress(until)
        return Taken({place: self._begun.pop(place) for place in ours.keys() - troubles}, progress, troubles)

    def note_closed(self, closed: Iterable[tuple[Place, str]]) -> None:
        """Say that nobody need close these again."""
        rows = [closed_row(place, stream, self._notes.now_us()) for place, stream in closed]
        if rows:
            self._notes.write(rows)

    def _begin(self, until: Until, place: Place, table: Table) -> str | None:
        """Open a stream, if none was left open by the last try; why there is none."""
        if place in self._begun:
            return None
        try:
            self._begun[place] = self._create(table, until)
        except UnavailableError as error:
            return str(error)
        return None

    def _create(self, table: Table, until: Until) -> str:
        try:
            return self._streams.create(table.name, wait_s=until.left(CREATE_S))
        except GoogleAPICallError as error:
            answer = answer_of_status(status_of(error))
            if isinstance(answer, Denied):
                raise UnavailableError(self._notes.refusals.why(self._tables.name(table), answer.why)) from error
            if isinstance(answer, Gone | Unclear):
                self._tables.check(table)
                raise UnavailableError(
                    f"BigQuery's write API does not know the table {table.name} yet: that takes some minutes"
                ) from error
            raise UnavailableError(f"{getattr(answer, 'why', answer)} when a write stream is opened") from error

    def _shut_out(self, until: Until, other: Opened) -> str | None:
        """Why it may still take rows."""
        try:
            self._streams.finalise(other.stream, wait_s=until.left(FINALISE_S))
        except GoogleAPICallError as error:
            status = status_of(error)
            if storage_code(status) in _CLOSED or (_is_unknown(status) and self._is_old(other)):
                return None
            return f"BigQuery does not close a write stream ({type(error).__name__})"
        return None

    def _is_old(self, other: Opened) -> bool:
        return self._notes.now_us() - other.since_us > SETTLED_S * 1_000_000


def _is_unknown(status: Status) -> bool:
    """BigQuery does not know it: it says so, or that the name is wrong, which is its own, or that we may not.

    That we may, we know: the table has just let us open another.
    """
    storage = storage_code(status)
    return storage == StorageCode.STREAM_NOT_FOUND or (not storage and status.code in _UNKNOWN)
