"""Errors, sorted by what the caller should do next; malformed records and duplicates are outcomes, not errors.

StreamsError
├── ConfigError            refuse to start: settings, topics or credentials are wrong
│   └── UnauthorisedError  mend the credentials: Customer.io refuses them, and nothing was taken
├── UnavailableError       something we need does not answer: wait, or say what to start; it may be said again
│   └── BusyError          try again later: a rate or a queue is used up, and nothing was sent
├── InvalidInputError      mend the call: what it says can never be sent, and nothing was
├── RejectedError          mend the content: Customer.io refuses just this, and will again
├── AmbiguousSendError     look before repeating: the message may have gone out
└── FencedError            another worker owns these partitions now: drop the work, it is delivered again there
"""


class StreamsError(Exception):
    """Something failed that a person should read about in one line."""


class ConfigError(StreamsError):
    """What we were told to do cannot work: settings, topics or credentials are wrong; nothing was sent."""


class UnauthorisedError(ConfigError):
    """Customer.io refuses the credentials."""


class UnavailableError(StreamsError):
    """Kafka or Customer.io does not answer; it may work after `retry_after_s`, where that is known."""

    def __init__(self, message: str = "", *, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class BusyError(UnavailableError):
    """There is more to say than may be said now: nothing of this was sent."""


class InvalidInputError(StreamsError):
    """What is to be said breaks a rule that can be checked here; the message names the field, never its content."""


class RejectedError(StreamsError):
    """Customer.io refuses what was said, for its content; `status` is that of its answer."""

    def __init__(self, message: str, *, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


class AmbiguousSendError(StreamsError):
    """A message or a broadcast may or may not have gone out; repeated, it may be a second one."""


class FencedError(StreamsError):
    """The consumer group has given these partitions to another worker; the rest is delivered again there."""
