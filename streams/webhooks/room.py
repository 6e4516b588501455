"""How much may be under way at once, so that overload costs no memory: requests that are here, and bytes of bodies.

Whoever still sends holds bytes only, and only until others need them: else slow strangers would shut out Customer.io.
"""

from typing import Final, Protocol

REQUESTS_MAX: Final = 1_000
"""Half a second's worth at the speed that one core reaches."""

BYTES_MAX: Final = 64 * 1024 * 1024


class Arriving(Protocol):
    """A body that is not here as a whole."""

    def shed(self) -> None:
        """Give back what it holds."""


class Room:
    """Counts; whoever was let in says when it leaves."""

    def __init__(self, *, requests_max: int = REQUESTS_MAX, bytes_max: int = BYTES_MAX) -> None:
        self.requests = 0
        self.bytes = 0
        self._requests_max = requests_max
        self._bytes_max = bytes_max
        self._arriving: dict[Arriving, None] = {}

    def enter(self) -> bool:
        """Let a request in whose body is here, or not."""
        if self.requests >= self._requests_max:
            return False
        self.requests += 1
        return True

    def leave(self) -> None:
        """It is answered."""
        self.requests -= 1

    def take(self, size: int, body: Arriving) -> bool:
        """Give room for so many bytes more, or none; whichever other one arrives for longest makes it."""
        self._arriving.setdefault(body)
        while self.bytes + size > self._bytes_max:
            others = (each for each in self._arriving if each is not body)
            oldest = next(others, None)
            if oldest is None:
                return False
            oldest.shed()
        self.bytes += size
        return True

    def has_arrived(self, body: Arriving) -> None:
        """All of it is here, or it is given up: it makes no room any more."""
        self._arriving.pop(body, None)

    def give_back(self, size: int) -> None:
        """So many bytes are gone."""
        self.bytes -= size
