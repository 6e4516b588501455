"""What Customer.io answered, reduced to what is judged."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer; `retry_after_s` is the server's wish, None when it has none."""

    status: int
    body: bytes
    retry_after_s: float | None = None


@dataclass(frozen=True, slots=True)
class NoAnswer:
    """The request failed on the way, or took too long: once it `is_out` it may or may not have been applied.

    Before its last byte is out it cannot have been.
    """

    cause: str
    is_out: bool = True
