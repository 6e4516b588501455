"""The plan for a chunk of user changes: a line per person, a wave of at most one parcel for each of them."""

from collections.abc import Callable, Iterable, Sequence
from collections.abc import Set as AbstractSet

from agents.plans.change_line import ChangeLine, Group
from agents.ports import Memory
from agents.steps.translate_change import translate_change
from schemas.conclusion import Conclusion
from schemas.delivery import Parcel, Verdict
from schemas.person_state import UNKNOWN, PersonState, pack, unpack
from schemas.record import Record
from schemas.send_memory import SendEntry
from schemas.translated import Change, Unsendable


class UserChangesPlan:
    """Keeps every person's changes in order; different persons' share a wave."""

    is_replay = False
    records_max: int | None = None
    passed_over = 0
    _memory: Memory

    def __init__(self, *, translate: Callable[[Record], Change | Unsendable] = translate_change) -> None:
        self.conclusions: list[Conclusion] = []
        self._translate = translate
        self._lines: dict[str, ChangeLine] = {}
        self._before: dict[str, PersonState] = {}
        self._waiting: Iterable[ChangeLine] = ()
        self._wave: list[tuple[ChangeLine, Group]] = []

    def add(self, records: Iterable[Record]) -> None:
        """Take records in offset order; what is at fault by itself is concluded at once."""
        lines, translate = self._lines, self._translate
        for record in records:
            change = translate(record)
            if isinstance(change, Unsendable):
                self.conclusions.append(conclude_unsendable(change))
                continue
            line = lines.get(change.user_id)
            if line is None:
                line = lines[change.user_id] = ChangeLine(UNKNOWN, self.conclusions.append)
            line.add(change)
        self._waiting = lines.values()

    def keys(self) -> AbstractSet[str]:
        """The persons whom it is about."""
        return self._lines.keys()

    def recall(self, memory: Memory) -> None:
        """Take up what was delivered for each of them before."""
        self._memory = memory
        for user_id, line in self._lines.items():
            data = memory.person(user_id.encode())
            line.state = self._before[user_id] = unpack(data) if data else UNKNOWN

    def next_wave(self) -> list[Parcel]:
        """The parcels that may go now, one for each person at most; empty when every record is concluded."""
        self._wave = [(line, group) for line in self._waiting if (group := line.next_group())]
        return [line.parcel(group) for line, group in self._wave]

    def settle(self, verdicts: Sequence[Verdict]) -> None:
        """Take the verdicts on the last wave, in its order."""
        for (line, group), verdict in zip(self._wave, verdicts, strict=True):
            line.settle(group, verdict)
        self._waiting = [line for line, _ in self._wave]

    def people(self) -> list[tuple[bytes, bytes]]:
        """The persons whose state has changed: ledger key and value."""
        return [
            (self._memory.ledger_key(user_id.encode()), pack(line.state))
            for user_id, line in self._lines.items()
            if line.state is not self._before[user_id]
        ]

    def events(self) -> list[bytes]:
        """User changes leave no fingerprints of events."""
        return []

    def sends(self) -> list[tuple[int, bytes, SendEntry]]:
        """Nor do they send messages."""
        return []


def conclude_unsendable(found: Unsendable) -> Conclusion:
    """The conclusion of a record that is at fault by itself."""
    return Conclusion(
        found.record,
        "dead",
        found.reason,
        found.detail,
        found.user_id,
        found.operations,
        found.fingerprint,
        found.event_id,
    )
