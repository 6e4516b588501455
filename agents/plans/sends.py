"""The plan for a chunk of sends: those to different people go side by side, a repeat waits for the first's verdict."""

from collections.abc import Callable, Iterable, Sequence
from collections.abc import Set as AbstractSet

from agents.plans.user_changes import conclude_unsendable
from agents.ports import Memory
from agents.steps.conclude_send import Settled, conclude_sent, conclude_settled, decide_send
from schemas.conclusion import Conclusion
from schemas.delivery import Parcel, Verdict
from schemas.record import Record
from schemas.send_memory import Known, SendEntry, SendState
from schemas.translated import Send, Unsendable

RECORDS_AT_ONCE = 100  # of a chunk: so many results wait at most for the slowest, and a flood is seen after so many


class SendsPlan:
    """`translate` reads the records of its topic. Whose result is out already is passed over."""

    is_replay = False
    records_max: int | None = RECORDS_AT_ONCE
    _memory: Memory

    def __init__(self, *, translate: Callable[[Record], Send | Unsendable]) -> None:
        self.conclusions: list[Conclusion] = []
        self.passed_over = 0
        self._translate = translate
        self._sends: list[Send] = []
        self._waiting = self._sends
        self._wave: list[Send] = []
        self._known: dict[bytes, Known] = {}
        self._entries: list[tuple[int, bytes, SendEntry]] = []

    def add(self, records: Iterable[Record]) -> None:
        """Take records in offset order; what is at fault by itself is concluded at once."""
        for record in records:
            send = self._translate(record)
            if isinstance(send, Unsendable):
                self.conclusions.append(conclude_unsendable(send))
            else:
                self._sends.append(send)

    def keys(self) -> AbstractSet[bytes]:
        """What the sends are remembered by."""
        return {send.key for send in self._sends}

    def recall(self, memory: Memory) -> None:
        """Ask this one, wave by wave, for what was sent before."""
        self._memory = memory

    def next_wave(self) -> list[Parcel]:
        """The sends that may go now, one for each person and id at most; empty when every record is concluded."""
        self._wave, held = [], []
        under_way: set[str | bytes] = set()
        for send in self._waiting:
            if send.person in under_way or send.key in under_way:
                held.append(send)
                under_way |= {send.person, send.key}  # what comes later must not overtake it
            elif not self._is_settled(send):
                self._wave.append(send)
                under_way |= {send.person, send.key}
        self._waiting = held
        return [Parcel((send.body,), person=send.person, send=send) for send in self._wave]

    def _is_settled(self, send: Send) -> bool:
        if self._memory.has_concluded(send.place):
            self.passed_over += 1
            return True
        person = None if send.user_id is None else self._memory.person(send.user_id.encode())
        decision = decide_send(send, self._state(send), person)
        if not isinstance(decision, Settled):
            return False
        self._conclude(send, conclude_settled(send, decision))
        return True

    def _state(self, send: Send) -> SendState:
        state = self._memory.send_state(send.key)
        return state._replace(known=self._known.get(send.key, state.known))

    def settle(self, verdicts: Sequence[Verdict]) -> None:
        """Take the verdicts on the last wave, in its order."""
        for send, verdict in zip(self._wave, verdicts, strict=True):
            self._conclude(send, conclude_sent(send, verdict))

    def _conclude(self, send: Send, conclusion: Conclusion) -> None:
        self.conclusions.append(conclusion)
        if conclusion.outcome == "delivered" or conclusion.reason == "ambiguous_send":
            known = known_after(conclusion, self._state(send).known)
            self._known[send.key] = known
            self._entries.append((send.record.offset, send.send_id.encode(), concluded_entry(send, conclusion, known)))

    def people(self) -> list[tuple[bytes, bytes]]:
        """Sends change nothing about a person."""
        return []

    def events(self) -> list[bytes]:
        """Nor do they leave fingerprints of events."""
        return []

    def sends(self) -> list[tuple[int, bytes, SendEntry]]:
        """What is to be remembered: the record's offset, the ledger's key and its entry."""
        return self._entries


def known_after(conclusion: Conclusion, known: Known | None) -> Known:
    """What is known of an id once this is concluded: what was sent for certain stays so."""
    return "sent" if conclusion.outcome == "delivered" or known == "sent" else "ambiguous"


def concluded_entry(send: Send, conclusion: Conclusion, known: Known | None) -> SendEntry:
    """The ledger's entry that goes with a result."""
    return SendEntry("concluded", send.kind, send.place, known, conclusion.delivery_id)
