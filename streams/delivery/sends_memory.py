"""What is remembered of the sends of one partition, bounded in time; restored from the ledger, and changed with it."""

from collections.abc import Mapping
from typing import Final

from schemas.send_memory import NEVER_SENT, Known, SendEntry, SendPlace, SendState, send_key

_CODES: Final[Mapping[Known | None, int]] = {None: 0, "sent": 1, "ambiguous": 2}
_KNOWN: Final = {code: known for known, code in _CODES.items()}
_CODE_BITS: Final = 2


class SendsMemory:
    """190 bytes for each id; `place`s are kept only of what may be delivered once more."""

    def __init__(self) -> None:
        self._known: dict[bytes, int] = {}  # unix seconds and a code in one number, the oldest first
        self._intents: dict[bytes, tuple[float, SendPlace]] = {}
        self._concluded: set[SendPlace] = set()
        self._next_offsets: dict[str, int] = {}

    def __len__(self) -> int:
        """How many ids are remembered."""
        return len(self._known) + len(self._intents)

    def state(self, key: bytes, *, oldest_s: float) -> SendState:
        """What is known of an id, as far as it is not older."""
        number = self._known.get(key, 0)
        intent = self._intents.get(key)
        if intent is None and not number:
            return NEVER_SENT
        known = _KNOWN[number % (1 << _CODE_BITS)] if number >> _CODE_BITS > oldest_s else None
        return SendState(known, intent[1] if intent and intent[0] > oldest_s else None)

    def has_concluded(self, place: SendPlace) -> bool:
        """Whether its result is out, and its offset not committed."""
        return place in self._concluded

    def begin(self, next_offsets: Mapping[str, int]) -> None:
        """Only what stands there or behind, by topic, may be delivered once more."""
        self._next_offsets = dict(next_offsets)
        self._concluded = {place for place in self._concluded if self._may_come(place)}

    def moved(self, topic: str, next_offset: int) -> None:
        """What stands before is committed."""
        if topic in self._next_offsets:
            self._next_offsets[topic] = next_offset
            self._concluded = {place for place in self._concluded if self._may_come(place)}

    def take(self, send_id: bytes, entry: SendEntry, at_s: float) -> None:
        """Take over an entry that was written then."""
        key = send_key(entry.kind, send_id)
        self._known.pop(key, None)  # so that it stands behind what is older
        if entry.known is not None:
            self._known[key] = (int(at_s) << _CODE_BITS) + _CODES[entry.known]
        self._intents.pop(key, None)
        if entry.step == "intent":
            self._intents[key] = at_s, entry.place
        elif entry.step == "concluded" and self._may_come(entry.place):
            self._concluded.add(entry.place)

    def _may_come(self, place: SendPlace) -> bool:
        return place.offset >= self._next_offsets.get(place.topic, place.offset + 1)

    def forget(self, oldest_s: float) -> None:
        """Forget what is not newer."""
        while (first := next(iter(self._known), None)) and self._known[first] >> _CODE_BITS <= oldest_s:
            del self._known[first]
        while (first := next(iter(self._intents), None)) and self._intents[first][0] <= oldest_s:
            del self._intents[first]

    def forget_oldest(self) -> None:
        """Forget one, the oldest: for want of room."""
        del self._known[next(iter(self._known))]

    @property
    def oldest_s(self) -> float | None:
        """When the oldest that may be forgotten was written."""
        first = next(iter(self._known), None)
        return None if first is None else self._known[first] >> _CODE_BITS
