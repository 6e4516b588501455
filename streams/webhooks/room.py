"""How much may be under way at once: what is beyond it is refused at once, so that overload costs no memory."""

from typing import Final

REQUESTS_MAX: Final = 1_000
"""Half a second's worth at the speed that one core reaches."""

BYTES_MAX: Final = 64 * 1024 * 1024


class Room:
    """Counts the requests and the bytes of their bodies; whoever was let in says when it leaves."""

    def __init__(self, *, requests_max: int = REQUESTS_MAX, bytes_max: int = BYTES_MAX) -> None:
        self.requests = 0
        self.bytes = 0
        self._requests_max = requests_max
        self._bytes_max = bytes_max

    def enter(self) -> bool:
        """Let a request in, or not."""
        if self.requests >= self._requests_max:
            return False
        self.requests += 1
        return True

    def take(self, size: int) -> bool:
        """Give room for so many bytes more, or none."""
        if self.bytes + size > self._bytes_max:
            return False
        self.bytes += size
        return True

    def give_back(self, size: int) -> None:
        """So many bytes are gone."""
        self.bytes -= size

    def leave(self) -> None:
        """A request is answered."""
        self.requests -= 1
