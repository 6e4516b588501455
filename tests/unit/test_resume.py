"""An operator's word on a topic: how it is written down, read back, and said on the command line."""

import pytest
import typer

from schemas.decision import decode_decision
from schemas.resume import Resume, decode_resume, encode_resume, resume_key, resumed_topic
from streams.__main__ import run
from streams.cli.when import span_s

WORD = Resume(until="2026-11-22T11:00:00.000Z", at="2026-11-22T10:00:00.000Z", by="ada", note="known")


def test_a_word_is_read_as_it_was_written() -> None:
    """With its end in unix milliseconds."""
    assert decode_resume(encode_resume(WORD)) == WORD
    assert WORD.until_ms == 1_795_345_200_000


def test_it_is_no_decision_on_a_letter() -> None:
    """Whoever reads those passes over it."""
    assert decode_decision(encode_resume(WORD)) is None


@pytest.mark.parametrize(
    "value",
    [b"", b"{", b"[]", b"1", b"null", b"{}", b'{"until": 1e400}', b'{"until": "soon"}', b'{"until": null}', b"\xff"],
)
def test_what_is_not_ours_is_no_word(value: bytes) -> None:
    """Whatever it is."""
    assert decode_resume(value) is None


@pytest.mark.parametrize(
    ("key", "topic"), [(resume_key("user-changes"), "user-changes"), (b"3/17", None), (b"\xff", None), (None, None)]
)
def test_its_key_names_the_topic(key: bytes | None, topic: str | None) -> None:
    """Keys of letters name none."""
    assert resumed_topic(key) == topic


@pytest.mark.parametrize(("text", "seconds"), [("1s", 1), ("90s", 90), ("1h", 3_600), ("7d", 604_800)])
def test_a_span_is_read(text: str, seconds: int) -> None:
    """As ages are."""
    assert span_s(text, longest_s=604_800) == seconds


@pytest.mark.parametrize("text", ["0s", "8d", "1", "-1h", "1w", "", "2026-11-22T10:00:00Z"])
def test_what_is_no_span_is_refused(text: str) -> None:
    """Also what is too long."""
    with pytest.raises(typer.BadParameter):
        span_s(text, longest_s=604_800)


@pytest.mark.parametrize(
    "arguments", [["no-such-topic"], ["customerio-dlq"], ["user-changes", "--for", "8d"], ["--for", "soon"]]
)
def test_wrong_usage_is_told_without_kafka(arguments: list[str]) -> None:
    """Exit code 2."""
    assert run(["dlq", "resume", *arguments]) == 2
