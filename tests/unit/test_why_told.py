"""How a story is told where what publishers and workers wrote is odd."""

from io import StringIO

import orjson
import pytest
from rich.console import Console

from schemas.dead_letter import Origin
from schemas.record import Stored
from streams.why import tell
from streams.why.story import ResultTold, Story, read_result

PLACE = Origin("user-changes", 3, 7)


def result(**changes: object) -> ResultTold:
    """A result of the record."""
    source = {"topic": "user-changes", "partition": 3, "offset": 7}
    told = read_result(orjson.dumps({"outcome": "delivered", "source": source} | changes))
    assert told is not None
    return told


def story(
    *results: ResultTold, key: bytes | None = b"u-1", timestamp: int = 0, next_offset: int | None = None
) -> Story:
    """A story of a record of the user `u-1`."""
    return Story(
        place=PLACE,
        asked=PLACE,
        record=Stored("user-changes", 3, 7, timestamp, key, None, []),
        next_offset=next_offset,
        results=results,
        letters=[],
        replays=[],
        user_id="user-1",
        person=None,
    )


def shown(told: Story, *, reveal: bool = False) -> str:
    """What a person reads."""
    output = StringIO()
    Console(file=output, width=150, markup=False).print(tell.as_table(told, reveal=reveal))
    return output.getvalue()


@pytest.mark.parametrize("timestamp", [-1, 2**62, -(2**62)])
def test_any_timestamp_can_be_told(timestamp: int) -> None:
    """Kafka takes what publishers give."""
    assert "record" in shown(story(timestamp=timestamp))
    assert tell.as_data(story(timestamp=timestamp), reveal=False)["record"]["timestamp_ms"] == timestamp


def test_what_a_publisher_wrote_does_not_command_the_terminal() -> None:
    """Nor is it taken for markup."""
    text = shown(story(result(detail="data.\x1b[2Jx[red]: unknown field")), reveal=True)

    assert "\x1b" not in text
    assert "[red]: unknown field" in text


@pytest.mark.parametrize(
    ("key", "said"),
    [
        (None, "key none"),
        (b"\xff\xfe", "key not text, 2 bytes"),
        (b"ada@example.com", "key a***m (15)"),
        (b"u-1", "key u-1"),
    ],
)
def test_a_key_is_masked(key: bytes | None, said: str) -> None:
    """One that reaches somebody, as in the other commands; one that is no text says nothing."""
    assert said in shown(story(key=key))
    assert key is None or b"@" not in key or key.decode() in shown(story(key=key), reveal=True)


@pytest.mark.parametrize(
    ("next_offset", "said"),
    [
        (None, "no worker has begun on this partition"),
        (5, "the group goes on at 5, 2 offsets before it"),
        (8, "although the group is past it"),
    ],
)
def test_it_says_why_there_is_no_result(next_offset: int | None, said: str) -> None:
    """Not yet, or lost."""
    assert said in shown(story(next_offset=next_offset))


@pytest.mark.parametrize("value", [None, b"", b"no", b"[]", b"{}", b'{"source": {"topic": "t"}, "outcome": "dead"}'])
def test_what_is_no_result_is_passed_over(value: bytes | None) -> None:
    """Whoever wrote it."""
    assert read_result(value) is None
