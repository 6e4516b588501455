"""Errors, sorted by what the caller should do next; malformed records and duplicates are outcomes, not errors.

StreamsError
├── ConfigError        refuse to start: settings, topics or credentials are wrong
├── UnavailableError   something we need does not answer: wait, or say what to start
└── FencedError        another worker owns these partitions now: drop the work, it is delivered again there
"""


class StreamsError(Exception):
    """Something failed that a person should read about in one line."""


class ConfigError(StreamsError):
    """What we were told to do cannot work: settings, topics or credentials are wrong; nothing was sent."""


class UnavailableError(StreamsError):
    """Kafka or Customer.io does not answer."""


class FencedError(StreamsError):
    """The consumer group has given these partitions to another worker; the rest is delivered again there."""
