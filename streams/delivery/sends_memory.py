"""What is remembered of the sends of one partition, bounded in time; restored from the ledger, and changed with it."""

from collections import OrderedDict
from collections.abc import Mapping
from typing import Final

from schemas.send_memory import NEVER_SENT, Known, SendEntry, SendPlace, SendState, send_key

_CODES: Final[Mapping[Known | None, int]] = {None: 0, "sent": 1, "ambiguous": 2}
_KNOWN: Final = {code: known for known, code in _CODES.items()}
_CODE_BITS: Final = 2
FORGOTTEN_AT_ONCE: Final = 10_000
"""So many ids at most leave in one go, in about 3 ms: the event loop is everybody's."""


class SendsMemory:
    """240 bytes for each id; `place`s are kept only of what may be delivered once more."""

    def __init__(self) -> None:
        # The oldest first; what a plain dict has lost at its front, every look for its first would pass by again.
        self._known: OrderedDict[bytes, int] = OrderedDict()  # unix seconds and a code in one number
        self._intents: OrderedDict[bytes, tuple[float, SendPlace]] = OrderedDict()
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

    def next_offset(self, topic: str) -> int | None:
        """Where the work on a topic stands, None where it has not begun."""
        return self._next_offsets.get(topic)

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
        """Forget what is not newer, up to `FORGOTTEN_AT_ONCE`: `state` passes over the rest."""
        for _ in range(FORGOTTEN_AT_ONCE):
            if self.oldest_s is None or self.oldest_s > oldest_s:
                break
            self.forget_oldest()
        for _ in range(FORGOTTEN_AT_ONCE):
            if not self._intents or next(iter(self._intents.values()))[0] > oldest_s:
                break
            self._intents.popitem(last=False)

    def forget_oldest(self) -> None:
        """Forget one of what is known, the oldest."""
        self._known.popitem(last=False)

    @property
    def known_count(self) -> int:
        """How many ids may be forgotten for want of room; what is under way may not."""
        return len(self._known)

    @property
    def oldest_s(self) -> float | None:
        """When the oldest that may be forgotten was written."""
        number = next(iter(self._known.values()), None)
        return None if number is None else number >> _CODE_BITS
