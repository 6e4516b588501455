"""Times as publishers write them and as Kafka stamps them, in unix milliseconds: never through float arithmetic."""

import re
from datetime import UTC, datetime
from decimal import Decimal

from schemas.dead_letter import TIMESTAMP_MS
from schemas.record import Record

UNIX_S_MAX = 100_000_000_000  # the year 5138; what is beyond was meant in milliseconds
REPLAY_TOPIC = "customerio-replay"  # behind whatever prefix: only there is the header ours

_EXPECTED = "must be ISO 8601 with an offset, or unix seconds"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MS_MAX = UNIX_S_MAX * 1000
_DECIMAL = re.compile(rb"-?[0-9]{1,19}")
_INT64_MAX = 2**63 - 1


def unix_ms(value: object) -> int:
    """Read ISO 8601 with an offset, or unix seconds, as unix milliseconds, rounded down.

    Raises:
        ValueError: It is no such time, or outside 0 <= seconds < `UNIX_S_MAX`; the message says what it must be.
    """
    ms = _iso_ms(value) if isinstance(value, str) else _number_ms(value)
    if 0 <= ms < _MS_MAX:
        return ms
    raise ValueError("must be from 1970 to 5138: in unix seconds, milliseconds by mistake?")


def is_time(text: str) -> bool:
    """Whether it is a time that `unix_ms` reads."""
    try:
        unix_ms(text)
    except ValueError:
        return False
    return True


def unix_s(value: object) -> int:
    """Read as `unix_ms` does, in whole seconds, rounded down."""
    return unix_ms(value) // 1000


def first_timestamp_ms(record: Record) -> int:
    """Give the record's first Kafka timestamp: that of a replay's header, else its own. It may be -1 or absurd.

    On the other topics the header is the publisher's, and says nothing.
    """
    if record.headers and record.topic.endswith(REPLAY_TOPIC):
        named = [value for name, value in record.headers if name == TIMESTAMP_MS]
        if named and (first := _header_ms(named[-1])) is not None:
            return first
    return record.timestamp


def sendable_s(timestamp_ms: int) -> int:
    """A Kafka timestamp in unix seconds as Customer.io may be told it: an absurd one would rule out all later ones."""
    return timestamp_ms // 1000 if 0 <= timestamp_ms < _MS_MAX else 0


def _header_ms(value: bytes | None) -> int | None:
    if value is None or not _DECIMAL.fullmatch(value):  # Kafka knows headers without a value
        return None
    ms = int(value)
    return ms if -_INT64_MAX <= ms <= _INT64_MAX else None


def _iso_ms(text: str) -> int:
    try:
        since = datetime.fromisoformat(text) - _EPOCH
    except (ValueError, TypeError):  # no date at all, or one without offset
        raise ValueError(_EXPECTED) from None  # the original quotes the text
    if ("T" not in text and " " not in text) or not text.isprintable():  # Python takes more than ISO 8601 has
        raise ValueError(_EXPECTED)
    return since.days * 86_400_000 + since.seconds * 1000 + since.microseconds // 1000  # twice as fast as `//`


def _number_ms(value: object) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        return value * 1000
    if not isinstance(value, float):
        raise ValueError(_EXPECTED)  # noqa: TRY004  # pydantic collects ValueError only
    if not 0 <= value < UNIX_S_MAX:
        return _MS_MAX  # out of range, and 1e308 has no business in a Decimal
    return int(Decimal(repr(value)) * 1000)  # in binary, 1083080910.307 * 1000 is less than ...307
