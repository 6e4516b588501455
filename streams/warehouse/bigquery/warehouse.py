"""The warehouse in BigQuery, with each record in it once.

BigQuery has no transaction over rows and progress, so the rows are the progress: each carries its topic, partition and
offset, and how far a place is, is the highest offset among its rows.

**One writer.** Whoever loads a place has a write stream of its own for it (application-created, COMMITTED: a row can be
read as soon as it is acknowledged). To take a place over it

1. creates a stream, and notes it in the register (`write_streams`),
2. reads the register, and finalises every other stream of the place that is not noted as closed,
3. asks how far the place is, and goes on behind that.

A finalised stream takes no more rows: that is the fence, and it holds against a loader that was paused, cut off, or
killed with a request under way. Two that take over at once cannot both miss each other, for each notes its stream
before it reads; at worst each finalises the other's, and both begin again. After step 2 nobody adds rows to the place
but whoever takes it over after us, and it has closed our stream first: step 3 tells the truth, or we are refused.
It is done at a loader's first rows of a place, and again when its stream is refused: a partition that comes and goes
without rows costs nothing.

**No repeat within a stream.** A request says at which place of the stream its rows begin. One whose answer was lost is
sent again unchanged, before anything else: ALREADY_EXISTS says that it was there, success that it was not, and there is
no third. OUT_OF_RANGE, and a stream that is finalised, unknown or refused otherwise, end the use of the stream: the
place is taken over anew, exactly as after a crash.

**A crash between any two steps** leaves a stream without a note (nobody knows it, nobody writes to it), one that is
noted and unused (the next one finalises it), one that is finalised and not noted as closed (it is finalised again), or
rows without a note (the rows count). A table that BigQuery does not find, or a stream that it does not know though it
is young, may only not be known yet: that is waited for.

What has no row (transactions' marks), or whose row somebody has deleted, is covered by notes of the progress, written
every ten minutes and at the end. They only ever say what was acknowledged, so whoever writes them is right. With them
goes which streams are used, should somebody have deleted that.
The price: progress is asked by reading four narrow columns of all rows, at a start and when a partition moves.
Reports that Customer.io repeats are other records with the same key; the views show each key once.
"""

import random
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Final

import structlog
from google.api_core.exceptions import GoogleAPICallError

from schemas.errors import StreamsError, UnavailableError
from streams.warehouse.bigquery.answers import Again, Answer, BadRows, Behind, Denied, Gone, Stored, Unclear
from streams.warehouse.bigquery.connect import Clients
from streams.warehouse.bigquery.lane import Lane
from streams.warehouse.bigquery.notes import Notes
from streams.warehouse.bigquery.register import noted_row, opened_row
from streams.warehouse.bigquery.rows import RowCodec
from streams.warehouse.bigquery.streams import WriteStreams
from streams.warehouse.bigquery.tables import Tables
from streams.warehouse.bigquery.takeover import TakeOver
from streams.warehouse.bigquery.tries import TAKES_LONG, TRYING_S_MAX, pauses
from streams.warehouse.port import Batch, Place
from streams.warehouse.tables import TABLES, Table

NOTE_US: Final = 600 * 1_000_000

log = structlog.get_logger()


class BigQueryWarehouse:
    """Loads a dataset; a `Warehouse`. Any number of loaders may share it, each with places of its own."""

    def __init__(
        self,
        clients: Clients,
        *,
        sleep: Callable[[float], None] = time.sleep,
        chance: Callable[[], float] = random.random,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._clients = clients
        self._sleep = sleep
        self._chance = chance
        self._tables = Tables(clients)
        self._streams = WriteStreams(clients.write, clients.dataset)
        self._notes = Notes(clients, self._streams, clock=clock)
        self._take_over = TakeOver(self._streams, self._notes, self._tables)
        self._codecs = {table.name: RowCodec(table) for table in TABLES}
        self._lanes: dict[Place, Lane] = {}
        self._reached: dict[Place, int] = {}
        self._moved: set[Place] = set()
        self._noted_us = self._notes.now_us()
        self._is_closed = False

    def prepare(self) -> None:
        """Make, check and extend tables and views."""
        tries = pauses(self._chance)
        while True:
            try:
                self._tables.bring_up_to_date()
            except UnavailableError:
                if (pause_s := next(tries, None)) is None:
                    raise
                self._sleep(pause_s)
            else:
                return

    def progress(self) -> dict[Place, int]:
        """The next offset of each place that was ever loaded, by whomever."""
        self._remember(self._notes.progress())
        return dict(self._reached)

    def append(self, batches: Sequence[Batch]) -> Mapping[Place, str]:
        """Load them side by side; what is taken counts, and what is not is tried again for a while."""
        tries, left = pauses(self._chance), self._not_loaded(batches)
        until_us = self._notes.now_us() + TRYING_S_MAX * 1_000_000
        troubles: Mapping[Place, str] = {}
        while left:
            troubles = self._round(left, until_us)
            is_better = len(troubles) < len(left)
            left = self._not_loaded(left)
            if is_better:
                tries = pauses(self._chance)
            pause_s = 0.0 if is_better else next(tries, None)
            if pause_s is None or self._notes.now_us() > until_us:
                break
            if not is_better:
                self._sleep(pause_s)
        whys = {batch.place: troubles.get(batch.place, TAKES_LONG) for batch in left}
        if whys and len(whys) == len(batches):
            raise UnavailableError(next(iter(whys.values())))
        if self._notes.now_us() - self._noted_us > NOTE_US:
            self._note()
        return whys

    def close(self) -> None:
        """Close our streams, so that the next one need not, and note how far we are; a crash does neither."""
        if self._is_closed:
            return
        self._is_closed = True
        closed = [(place, lane.stream) for place, lane in self._lanes.items() if self._is_ended(lane)]
        self._lanes.clear()
        try:
            self._take_over.note_closed(closed)
        except StreamsError as error:
            log.info("closed streams are not noted: the next loader looks at them", why=str(error))
        self._note()
        self._clients.close()

    def _is_ended(self, lane: Lane) -> bool:
        lane.disconnect()
        try:
            self._streams.finalise(lane.stream)
        except GoogleAPICallError as error:
            log.info("a stream stays open: the next loader closes it", why=type(error).__name__)
            return False
        return True

    def _not_loaded(self, batches: Sequence[Batch]) -> list[Batch]:
        left = []
        for batch in batches:
            if batch.rows_from(self._reached.get(batch.place, batch.first_offset)):
                left.append(batch)
            else:
                self._move(batch.place, batch.next_offset)
        return left

    def _round(self, batches: Sequence[Batch], until_us: float) -> dict[Place, str]:
        """One request for each place; where nothing became better, and why.

        First for those that are ours: a takeover may be long, and fail, and must keep nobody waiting.
        """
        missing = [batch for batch in batches if batch.place not in self._lanes]
        troubles = self._sent([batch for batch in batches if batch.place in self._lanes])
        if self._notes.now_us() <= until_us:
            troubles |= self._own({batch.place: batch.table for batch in missing})
        if self._notes.now_us() <= until_us:
            return troubles | self._sent([batch for batch in missing if batch.place in self._lanes])
        return dict.fromkeys((batch.place for batch in missing), TAKES_LONG) | troubles

    def _sent(self, batches: Sequence[Batch]) -> dict[Place, str]:
        """The same, for places that are ours."""
        sent = self._not_loaded(batches)
        for batch in sent:
            start = self._reached.get(batch.place, batch.first_offset)
            self._lanes[batch.place].send(batch.rows_from(start), batch.next_offset)
        answers = [(batch, *self._lanes[batch.place].settle()) for batch in sent]
        for batch, _, offset in answers:
            if offset is not None:
                self._move(batch.place, offset)
        whys = [(batch.place, self._trouble(batch, answer)) for batch, answer, _ in answers]
        return {place: why for place, why in whys if why}

    def _own(self, places: Mapping[Place, Table]) -> dict[Place, str]:
        """Take them over; what keeps the rest from being ours."""
        if not places:
            return {}
        try:
            taken = self._take_over.take(places, self._notes.until())
        except UnavailableError as error:
            return dict.fromkeys(places, str(error))
        self._remember(taken.progress)
        for place, stream in taken.streams.items():
            codec = self._codecs[places[place].name]
            self._lanes[place] = Lane(stream, codec, partial(self._streams.connected, stream, codec), place=str(place))
        if taken.streams:
            log.info("places taken over", places=sorted(map(str, taken.streams)))
        return dict(taken.troubles)

    def _trouble(self, batch: Batch, answer: Answer) -> str | None:
        """What keeps these rows from being loaded; None where something became better.

        Raises:
            ConfigError: somebody has to do something.
        """
        match answer:
            case Stored(has_new_columns):
                self._notes.refusals.ended(self._tables.name(batch.table))
                if has_new_columns:
                    self._lanes[batch.place].disconnect()
                    self._tables.check(batch.table)
                return None
            case BadRows():
                return None
            case Denied(why):
                return self._notes.refusals.why(self._tables.name(batch.table), why)
            case Gone(why):
                del self._lanes[batch.place]
                log.info("write stream given up", place=str(batch.place), why=why)
            case Behind(why):
                self._tables.check(batch.table)
                return f"{why}: its write API does not know a new column yet, that takes some minutes"
            case Again(why) | Unclear(why):
                pass
        return why

    def _remember(self, told: Mapping[Place, int]) -> None:
        for place, offset in told.items():
            self._reached[place] = max(offset, self._reached.get(place, 0))

    def _move(self, place: Place, offset: int) -> None:
        if offset > self._reached.get(place, -1):
            self._reached[place] = offset
            self._moved.add(place)

    def _note(self) -> None:
        """Note how far we are, and again which streams are ours; where that fails, rows and older notes still tell."""
        now_us = self._notes.now_us()
        rows = [noted_row(place, self._reached[place], now_us) for place in sorted(self._moved)]
        rows += [opened_row(place, lane.stream, now_us) for place, lane in self._lanes.items()]
        self._noted_us = now_us
        if rows:
            try:
                self._notes.write(rows)
            except StreamsError as error:
                log.debug("progress is not noted", why=str(error))
            else:
                self._moved.clear()
