"""The plan for a chunk of domain events: repeats wait for the first's verdict, a person's events keep their order."""

from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet

from agents.plans.user_changes import conclude_unsendable
from agents.ports import Memory
from agents.steps.translate_event import translate_event
from schemas.conclusion import Conclusion
from schemas.delivery import Parcel, Verdict
from schemas.outcome import Outcome, Reason
from schemas.person_state import is_out
from schemas.record import Record
from schemas.send_memory import SendEntry
from schemas.translated import Event, Unsendable


class DomainEventsPlan:
    """Sends neighbouring events of a person together; anonymous ones singly, as their endpoint takes one at a time."""

    is_replay = False
    records_max: int | None = None
    passed_over = 0
    _memory: Memory

    def __init__(self) -> None:
        self.conclusions: list[Conclusion] = []
        self._events: list[Event] = []
        self._waiting = self._events
        self._wave: list[Event] = []
        self._delivered: dict[bytes, None] = {}

    def add(self, records: Iterable[Record]) -> None:
        """Take records in offset order; what is at fault by itself is concluded at once."""
        for record in records:
            event = translate_event(record)
            if isinstance(event, Unsendable):
                self.conclusions.append(conclude_unsendable(event))
            else:
                self._events.append(event)

    def keys(self) -> AbstractSet[bytes]:
        """What the events are known by."""
        return {event.fingerprint for event in self._events}

    def recall(self, memory: Memory) -> None:
        """Ask this one, wave by wave, for what was delivered before."""
        self._memory = memory

    def next_wave(self) -> list[Parcel]:
        """The parcels that may go now; empty when every record is concluded."""
        self._wave, held = [], []
        sending: set[bytes] = set()
        closed: set[tuple[str | None, str | None]] = set()  # persons whose later events must wait for the next wave
        for event in self._waiting:
            person = (event.user_id, event.anonymous_id)
            if person in closed or event.fingerprint in sending:
                held.append(event)
                closed.add(person)
            elif not self._settled(event):
                self._wave.append(event)
                sending.add(event.fingerprint)
                if event.anonymous_id is not None:
                    closed.add(person)
        self._waiting = held
        return [Parcel((event.body,), event.anonymous_id is not None, event.user_id) for event in self._wave]

    def _settled(self, event: Event) -> bool:
        if event.fingerprint in self._delivered or self._memory.has_event(event.fingerprint):
            self._conclude(event, "duplicate", "fingerprint")
            return True
        data = self._memory.person(event.user_id.encode()) if event.user_id is not None else None
        is_deleted, is_opted_out = is_out(data) if data else (False, False)
        if is_deleted or is_opted_out:
            self._conclude(event, "skipped", "user_deleted" if is_deleted else "user_opted_out")
            return True
        return False

    def settle(self, verdicts: Sequence[Verdict]) -> None:
        """Take the verdicts on the last wave, in its order."""
        for event, verdict in zip(self._wave, verdicts, strict=True):
            if verdict.accepted:
                self._delivered[event.fingerprint] = None
                self._conclude(event, "delivered", None, verdict)
            else:
                self._conclude(event, "dead", verdict.reason, verdict)

    def _conclude(self, event: Event, outcome: Outcome, reason: Reason | None, verdict: Verdict | None = None) -> None:
        self.conclusions.append(
            Conclusion(
                event.record,
                outcome,
                reason,
                verdict.detail if verdict else None,
                event.user_id if event.user_id is not None else event.anonymous_id,
                ("event",),
                event.fingerprint,
                event.event_id,
                verdict.status if verdict else None,
                verdict.attempts if verdict else 0,
            )
        )

    def people(self) -> list[tuple[bytes, bytes]]:
        """Events change nothing about a person."""
        return []

    def events(self) -> list[bytes]:
        """The fingerprints that have been delivered."""
        return list(self._delivered)

    def sends(self) -> list[tuple[int, bytes, SendEntry]]:
        """Events send no messages."""
        return []
