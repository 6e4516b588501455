import pytest

from schemas.times import first_timestamp_ms, unix_ms, unix_s
from tests.unit.input_records import InputRecord

TEN_O_CLOCK_MS = 1_795_341_600_000


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2026-11-22T10:00:00Z", TEN_O_CLOCK_MS),
        ("2026-11-22T11:00:00+01:00", TEN_O_CLOCK_MS),
        ("2026-11-22 10:00:00+00:00", TEN_O_CLOCK_MS),
        ("20261122T100000Z", TEN_O_CLOCK_MS),
        ("2026-11-22T10:00:00.123Z", TEN_O_CLOCK_MS + 123),
        ("2026-11-22T10:00:00.123999Z", TEN_O_CLOCK_MS + 123),
        ("1970-01-01T00:00:00Z", 0),
        (TEN_O_CLOCK_MS // 1000, TEN_O_CLOCK_MS),
        (1795341600.123, TEN_O_CLOCK_MS + 123),
        (1795341600.9999, TEN_O_CLOCK_MS + 999),
        (0, 0),
        (-0.0, 0),
        (5e-324, 0),
        (99_999_999_999, 99_999_999_999_000),
        (99_999_999_999.999, 99_999_999_999_999),
    ],
)
def test_times_are_read_to_the_millisecond(value: object, expected: int) -> None:
    """ISO 8601 with an offset and unix seconds become exact milliseconds, rounded down."""
    assert expected == unix_ms(value)


def test_no_millisecond_is_lost_to_binary_fractions() -> None:
    """A float with three decimals is read as the decimal number that its text says."""
    read = [unix_ms(float(f"1.{milliseconds:03}")) for milliseconds in range(1000)]

    assert read == list(range(1000, 2000))
    assert unix_ms(1083080910.307) == 1083080910307


@pytest.mark.parametrize(
    "value",
    [
        *(-1, -0.001, -1e308, 100_000_000_000, 1e11, 1e308, TEN_O_CLOCK_MS, 2**64 - 1),
        *("1969-12-31T23:59:59Z", "1970-01-01T00:30:00+01:00", "5138-11-16T09:46:40Z"),
        *("9999-12-31T23:59:59-12:00", "0001-01-01T00:00:00+12:00"),
    ],
)
def test_what_is_out_of_range_is_taken_for_milliseconds(value: object) -> None:
    """Before 1970 and from the year 5138 on, in either form, the message suspects milliseconds."""
    with pytest.raises(ValueError, match="milliseconds by mistake"):
        unix_ms(value)


@pytest.mark.parametrize(
    "value",
    [
        *("", "now", "1795341600", "2026-11-22", "2026-11-22T10:00:00", "2026-11-22x10:00:00Z", "2026-13-01T00:00:00Z"),
        *(None, True, False, [], {}, [1795341600]),
    ],
)
def test_what_is_no_time_is_refused_without_being_quoted(value: object) -> None:
    """Numeric strings, local times, booleans and other shapes are no times."""
    with pytest.raises(ValueError, match=r"^must be ISO 8601 with an offset, or unix seconds$"):
        unix_ms(value)


def test_seconds_are_rounded_down() -> None:
    """The last millisecond of a second still belongs to it."""
    assert unix_s("2026-11-22T10:00:00.999Z") == TEN_O_CLOCK_MS // 1000


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ([], 5),
        ([("other", b"7")], 5),
        ([("cio.timestamp_ms", b"7")], 7),
        ([("cio.timestamp_ms", b"7"), ("cio.timestamp_ms", b"8"), ("other", b"9")], 8),
        ([("cio.timestamp_ms", b"7"), ("cio.timestamp_ms", b"x")], 5),
        ([("cio.timestamp_ms", b"-1")], -1),
        ([("cio.timestamp_ms", b"9223372036854775807")], 2**63 - 1),
        ([("cio.timestamp_ms", b"9223372036854775808")], 5),
        ([("cio.timestamp_ms", b"1" * 5000)], 5),
        ([("cio.timestamp_ms", b"")], 5),
        ([("cio.timestamp_ms", b" 7")], 5),
        ([("cio.timestamp_ms", b"7\n")], 5),
        ([("cio.timestamp_ms", "\N{ARABIC-INDIC DIGIT SEVEN}".encode())], 5),
        ([("cio.timestamp_ms", None)], 5),
    ],
)
def test_a_replayed_record_keeps_its_first_timestamp(headers: list[tuple[str, bytes]], expected: int) -> None:
    """The last header of that name counts if it is a plain decimal number, else Kafka's timestamp does."""
    replayed = InputRecord(topic="customerio-replay", timestamp=5, headers=headers)

    assert expected == first_timestamp_ms(replayed)
    assert first_timestamp_ms(InputRecord(timestamp=5, headers=headers)) == 5
