"""One line for each chunk, one for its dead letters, and whose work a line is about."""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
import structlog

from agents.ports import Counts
from schemas.chunk import Chunk
from schemas.conclusion import Conclusion
from streams.delivery.chunk_log import ChunkLog
from streams.logs import LANES_MAX, configure
from streams.progress import Progress, work_for, worked_for
from streams.settings import Settings
from tests.builders import make_chunk
from tests.unit.input_records import TIMESTAMP_MS, InputRecord

PLACE = {"topic": "user-changes", "partition": 0, "first": 7, "last": 8}


@pytest.fixture(autouse=True)
def _nobody_is_worked_for() -> Iterator[None]:
    before = worked_for()
    yield
    work_for(before)


def as_json() -> None:
    """From now on lines can be read."""
    configure(Settings(log_format="json"))


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    """What was logged, without its time and logger."""
    found = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    return [{name: value for name, value in each.items() if name not in {"timestamp", "logger"}} for each in found]


def conclude(log: ChunkLog, chunk: Chunk, counts: Counts) -> None:
    """A chunk is through, two and a half seconds after its first record came."""
    log.concluded(chunk, counts, [], TIMESTAMP_MS + 2_500)


def make(first: int = 7) -> Chunk:
    """A chunk of two records."""
    return make_chunk([InputRecord(offset=offset, key=b"ada", value=b"ada") for offset in (first, first + 1)])


def test_a_chunk_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    """Its place, what became of its records, and how long the first of them took."""
    as_json()
    conclude(ChunkLog(), make(), Counter({("delivered", None): 1, ("duplicate", "fingerprint"): 1}))

    assert [
        {
            "event": "chunk concluded",
            "level": "info",
            **PLACE,
            "records": 2,
            "outcomes": {"delivered": 1, "duplicate": 1},
            "oldest_s": 2.5,
        }
    ] == lines(capsys)


def test_its_dead_letters_are_another(capsys: pytest.CaptureFixture[str]) -> None:
    """However many: by reason, at a level that is still shown where chunks are not."""
    as_json()
    conclude(ChunkLog(), make(), Counter({("dead", "malformed"): 1, ("dead", "too_large"): 1}))
    chunk, dead = lines(capsys)

    assert {"dead": 2} == chunk["outcomes"]
    assert {
        "event": "dead letters",
        "level": "warning",
        **PLACE,
        "count": 2,
        "reasons": {"malformed": 1, "too_large": 1},
    } == dead


def test_sends_that_were_concluded_before_count_with_their_chunk(capsys: pytest.CaptureFixture[str]) -> None:
    """And not with another, where theirs was given up."""
    as_json()
    log, given_up, chunk = ChunkLog(), make(), make()
    sent = Conclusion(chunk.records[0], "delivered")
    log.sent(given_up, sent, TIMESTAMP_MS)
    log.sent(chunk, sent, TIMESTAMP_MS)
    conclude(log, chunk, Counter({("dead", "rejected"): 1}))
    conclude(log, make(9), Counter({("delivered", None): 2}))
    outcomes = [line["outcomes"] for line in lines(capsys) if line["event"] == "chunk concluded"]

    assert [{"delivered": 1, "dead": 1}, {"delivered": 2}] == outcomes


def lanes(count: int) -> Sequence[Progress]:
    """So many, each of another partition."""
    return [Progress(of={"topic": "t", "partition": n, "first": 0, "last": 1}, stage="test") for n in range(count)]


def test_a_line_says_whose_work_it_is_about(capsys: pytest.CaptureFixture[str]) -> None:
    """The place of the one chunk, or the names of some lanes that share a request; what it says itself counts."""
    as_json()
    log = structlog.get_logger()
    log.info("of nobody")
    work_for(lanes(1))
    log.info("of one", first=5)
    work_for(lanes(LANES_MAX + 1))
    log.info("of many")
    nobody, one, many = lines(capsys)

    assert {"event": "of nobody", "level": "info"} == nobody
    assert {"event": "of one", "level": "info", "topic": "t", "partition": 0, "first": 5, "last": 1} == one
    assert [f"t/{n}" for n in range(LANES_MAX)] == many["lanes"]
