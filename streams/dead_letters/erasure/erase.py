"""Erases a person from what we keep: the order of the steps. Each can be done again after a crash at any point.

Replays first, for a replay that fails becomes a letter again; then letters with their decisions, then the ledger; then
Kafka compacts what is compacted; and all is searched again, for a worker may have written of the person meanwhile.
"""

import contextlib
from collections.abc import Callable, Mapping, Sequence
from typing import Final, Self

from confluent_kafka.admin import (  # type: ignore[attr-defined] # public by its documentation, not by its stubs
    AclOperation,
)

from schemas.errors import UnavailableError
from streams.dead_letters.decisions import DecisionWriter
from streams.dead_letters.erasure.elsewhere import ELSEWHERE, Elsewhere, Left
from streams.dead_letters.erasure.ledger import LedgerEraser
from streams.dead_letters.erasure.letters import LetterEraser
from streams.dead_letters.erasure.replays import ReplayEraser
from streams.dead_letters.erasure.rule import Person
from streams.dead_letters.erasure.search import Holdings, Search
from streams.dead_letters.letters import Letters
from streams.kafka import compaction, topic_plan
from streams.kafka.clients import connected_admin
from streams.kafka.partition_reader import PartitionReader, Place
from streams.kafka.rights import require_rights
from streams.settings import Settings

COMPACTED: Final = (topic_plan.LEDGER_PEOPLE, topic_plan.DLQ_DECISIONS)
_READ: Final = (AclOperation.READ, AclOperation.DESCRIBE)
_COMPACT: Final = (*_READ, AclOperation.WRITE, AclOperation.DESCRIBE_CONFIGS, AclOperation.ALTER_CONFIGS)


class Erasure:
    """A context manager for one person; `say` is told what takes time."""

    def __init__(self, settings: Settings, person: Person, *, say: Callable[[str], None], wait_s: float) -> None:
        self._settings = settings
        self._person = person
        self._say = say
        self._wait_s = wait_s
        self._exits = contextlib.ExitStack()

    def __enter__(self) -> Self:
        """Connect.

        Raises:
            UnavailableError: Kafka cannot be reached.
        """
        self._admin = connected_admin(self._settings)
        self._committed = self._exits.enter_context(PartitionReader(self._settings))
        self._everything = self._exits.enter_context(PartitionReader(self._settings, everything=True))
        self._search = Search(self._settings, self._person, self._everything)
        return self

    def __exit__(self, *_: object) -> None:
        self._exits.close()

    def require_rights(self, *, writing: bool) -> None:
        """Insist on all that this takes, before anything is changed."""
        needed: dict[str, Sequence[AclOperation]] = dict.fromkeys(ELSEWHERE, (*_READ, AclOperation.DESCRIBE_CONFIGS))
        needed |= dict.fromkeys((topic_plan.DLQ, topic_plan.REPLAY, *COMPACTED), _READ)
        if writing:
            needed[topic_plan.DLQ] = (*_READ, AclOperation.WRITE, AclOperation.DELETE)
            needed[topic_plan.REPLAY] = (*_READ, AclOperation.DELETE)
            needed |= dict.fromkeys(COMPACTED, _COMPACT)
        require_rights(self._admin, {self._settings.topic(name): rights for name, rights in needed.items()})

    def search(self) -> Holdings:
        """Find what there is to erase."""
        return self._search.run()

    def elsewhere(self) -> list[Left]:
        """Find who else holds the person."""
        return Elsewhere(self._settings, self._person, self._everything, self._admin).look(self._say)

    def mend(self) -> None:
        """Give topics back what a run that was killed has left changed."""
        for name in COMPACTED:
            if compaction.mend(self._admin, self._settings.topic(name), self._planned(name)):
                self._say(f"{self._settings.topic(name)} has the planned settings again: a killed run had left others")

    def run(self, found: Holdings) -> int:
        """Erase all that was found; how many letters of others were written anew.

        Raises:
            UnavailableError: not all of it could be done; run again.
        """
        replays, letters = self._replays(), self._letters()
        ends = replays.wait(found.partitions(topic_plan.REPLAY), self._wait_s)
        self._begin_once(found)
        replays.erase(ends)
        kept = 0
        for partition in found.partitions(topic_plan.DLQ):
            self._say(f"writing the other letters of partition {partition} anew")
            kept += letters.erase(partition)
        for partition in set(found.partitions(topic_plan.DLQ_DECISIONS)) - set(found.partitions(topic_plan.DLQ)):
            letters.unsay(partition)
        for partition in found.partitions(topic_plan.LEDGER_PEOPLE):
            self._ledger().erase(partition)
        self._compact(found)
        self._insist_on_nothing_left()
        return kept

    def _begin_once(self, found: Holdings) -> None:
        """A transactional id that we may not use is found out before the first record is deleted."""
        partitions = [each for name in (topic_plan.DLQ, *COMPACTED) for each in found.partitions(name)]
        for partition in partitions[:1]:
            with DecisionWriter(self._settings, Letters(self._settings, self._committed), partition):
                pass

    def _compact(self, found: Holdings) -> None:
        names = {self._settings.topic(name): name for name in COMPACTED if found.count(name)}
        places = [(topic, partition) for topic, name in names.items() for partition in found.partitions(name)]

        def is_clean(place: Place) -> bool:
            topic, partition = place
            left = self._search.compacted(names[topic], partition, found.decision_keys)
            return not left.count(names[topic])

        with contextlib.ExitStack() as lasting:
            for topic, name in names.items():
                self._say(f"having Kafka compact {topic}")
                lasting.enter_context(compaction.eager_cleaning(self._admin, topic, self._planned(name)))
            compaction.clean_until(self._settings, places, is_clean, wait_s=self._wait_s, say=self._say)

    def _insist_on_nothing_left(self) -> None:
        left = self.search()
        if not left.is_empty:
            shown = ", ".join(
                f"{left.count(name)} on {self._settings.topic(name)}" for name in left.records if left.count(name)
            )
            raise UnavailableError(
                f"Records of this person were written meanwhile ({shown}): once publishers and workers are done with"
                " them, run it again"
            )

    def _planned(self, name: str) -> Mapping[str, str]:
        return topic_plan.plan(self._settings)[name].config

    def _replays(self) -> ReplayEraser:
        return ReplayEraser(
            settings=self._settings,
            person=self._person,
            committed=self._committed,
            everything=self._everything,
            admin=self._admin,
            say=self._say,
        )

    def _letters(self) -> LetterEraser:
        return LetterEraser(
            settings=self._settings,
            person=self._person,
            committed=self._committed,
            everything=self._everything,
            admin=self._admin,
        )

    def _ledger(self) -> LedgerEraser:
        return LedgerEraser(
            settings=self._settings, person=self._person, committed=self._committed, everything=self._everything
        )
