"""A memory together with what has been delivered since it was asked first; the memory itself is not changed."""

from collections.abc import Iterable

from agents.ports import Memory
from schemas.send_memory import SendEntry, SendPlace, SendState, send_key


class Remembering:
    """What has been delivered since is in `people` (by ledger key) and `events`, the fingerprints, in their order.

    What became of sends is in the memory already where they were sent, and learned here where that was rehearsed.
    """

    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        self.people: dict[bytes, bytes] = {}
        self.events: dict[bytes, None] = {}
        self._sends: dict[bytes, SendState] = {}

    def learn(
        self,
        people: Iterable[tuple[bytes, bytes]],
        events: Iterable[bytes],
        sends: Iterable[tuple[int, bytes, SendEntry]] = (),
    ) -> None:
        """Take over what was delivered."""
        self.people.update(people)
        self.events.update(dict.fromkeys(events))
        self._sends.update({send_key(entry.kind, key): SendState(entry.known) for _, key, entry in sends})

    def person(self, user_id: bytes) -> bytes | None:
        """The packed state of a person."""
        return self.people.get(self._memory.ledger_key(user_id)) or self._memory.person(user_id)

    def ledger_key(self, user_id: bytes) -> bytes:
        """The key under which a person stands in the ledger."""
        return self._memory.ledger_key(user_id)

    def has_event(self, fingerprint: bytes) -> bool:
        """Whether an event of this fingerprint was delivered."""
        return fingerprint in self.events or self._memory.has_event(fingerprint)

    def send_state(self, key: bytes) -> SendState:
        """What is known of a send's id."""
        return self._sends.get(key) or self._memory.send_state(key)

    def has_concluded(self, place: SendPlace) -> bool:
        """Whether the result of the send that stands there is out."""
        return self._memory.has_concluded(place)
