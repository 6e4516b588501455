"""A memory together with what has been delivered since it was asked first; the memory itself is not changed."""

from collections.abc import Iterable

from agents.ports import Memory


class Remembering:
    """What has been delivered since is in `people` (by ledger key) and `events`, the fingerprints, in their order."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        self.people: dict[bytes, bytes] = {}
        self.events: dict[bytes, None] = {}

    def learn(self, people: Iterable[tuple[bytes, bytes]], events: Iterable[bytes]) -> None:
        """Take over what was delivered."""
        self.people.update(people)
        self.events.update(dict.fromkeys(events))

    def person(self, user_id: bytes) -> bytes | None:
        """The packed state of a person."""
        return self.people.get(self._memory.ledger_key(user_id)) or self._memory.person(user_id)

    def ledger_key(self, user_id: bytes) -> bytes:
        """The key under which a person stands in the ledger."""
        return self._memory.ledger_key(user_id)

    def has_event(self, fingerprint: bytes) -> bool:
        """Whether an event of this fingerprint was delivered."""
        return fingerprint in self.events or self._memory.has_event(fingerprint)
