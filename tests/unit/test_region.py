"""What the region's answer means, and what a starting worker does about it."""

import asyncio
import json
from collections.abc import Callable

import pytest
from structlog.testing import capture_logs

from schemas.answer import Answer, NoAnswer
from streams.customerio import region
from streams.customerio.region import check_region, describe_region, find_region
from streams.settings import Settings, SettingsError, load_settings

RIGHT = Answer(200, b'{"region": "us"}')
EU = Answer(200, b'{"region": "eu"}')
ANSWERS: list[tuple[Answer | NoAnswer, str, str]] = [
    (RIGHT, "right", "says the account is in us, as CUSTOMERIO_REGION does"),
    (EU, "wrong", "CUSTOMERIO_REGION: is us, but Customer.io at https://track.customer.io says the account is in eu"),
    (Answer(200, b'{"region": "s3cret"}'), "wrong", "CUSTOMERIO_REGION: is us, but"),
    (Answer(301, b""), "wrong", "CUSTOMERIO_REGION: is us, but"),
    (Answer(308, b""), "wrong", "(308), expected eu"),
    (Answer(401, b""), "refused", "refuses CUSTOMERIO_SITE_ID and CUSTOMERIO_TRACK_API_KEY (401)"),
    (Answer(403, b""), "refused", "refuses CUSTOMERIO_SITE_ID and CUSTOMERIO_TRACK_API_KEY (403)"),
    (NoAnswer("ConnectError"), "unknown", "cannot be reached (ConnectError)"),
    (Answer(404, b""), "unknown", "status 404: is this the right URL and region?"),
    (Answer(429, b"", 7.0), "unknown", "status 429"),
    (Answer(503, b"s3cret"), "unknown", "status 503"),
    (Answer(200, b"<html>s3cret"), "unknown", "does not tell the account's region"),
    (Answer(200, b"[]"), "unknown", "does not tell the account's region"),
    (Answer(200, b'{"region": ["eu"]}'), "unknown", "does not tell the account's region"),
    (Answer(200, b"\xff"), "unknown", "does not tell the account's region"),
    (Answer(200, b"[" * 100_000), "unknown", "does not tell the account's region"),
]
"""Answer, kind of finding, what is said."""


@pytest.mark.parametrize(("answer", "kind", "said"), ANSWERS)
def test_each_answer_has_one_line(answer: Answer | NoAnswer, kind: str, said: str) -> None:
    """It says what was found, and shows nothing that the other side sent."""
    finding = find_region(answer, Settings())

    assert finding.kind == kind
    assert said in finding.line
    assert "s3cret" not in finding.line
    assert "\n" not in finding.line
    assert describe_region(answer, Settings()) == finding.line


@pytest.mark.parametrize(("ours", "theirs"), [("us", "eu"), ("eu", "us")])
def test_a_wrong_region_says_what_to_set(ours: str, theirs: str) -> None:
    """Either way round."""
    settings = load_settings({"CUSTOMERIO_REGION": ours})
    answer = Answer(200, json.dumps({"region": theirs}).encode())

    assert find_region(answer, settings).line.endswith(f"expected {theirs}")


@pytest.mark.parametrize("url", ["https://track.customer.io", "http://track.customer.io:80/x"])
def test_the_other_regions_host_is_wrong_though_the_region_is_right(url: str) -> None:
    """Data would go there: an address that was set by hand wins over the region."""
    settings = load_settings({"CUSTOMERIO_REGION": "eu", "CUSTOMERIO_TRACK_URL": url})
    finding = find_region(EU, settings)

    assert finding.kind == "wrong"
    assert finding.line.startswith(f"CUSTOMERIO_TRACK_URL: is {url}, but the account is in eu")
    assert finding.line.endswith("expected https://track-eu.customer.io")


def test_a_redirect_from_an_address_set_by_hand_says_so() -> None:
    """Another region alone would change nothing."""
    settings = load_settings({"CUSTOMERIO_TRACK_URL": "http://127.0.0.1:1"})
    line = describe_region(Answer(301, b""), settings)

    assert line.endswith("expected eu, or another CUSTOMERIO_TRACK_URL than http://127.0.0.1:1")


Ask = Callable[[Answer | NoAnswer], None]


@pytest.fixture
def answers_with(monkeypatch: pytest.MonkeyPatch) -> Ask:
    """Give a function that decides what Customer.io answers."""

    def decide(answer: Answer | NoAnswer) -> None:
        async def ask(_: Settings) -> Answer | NoAnswer:
            await asyncio.sleep(0)
            return answer

        monkeypatch.setattr(region, "ask_region", ask)

    return decide


@pytest.mark.parametrize("answer", [answer for answer, kind, _ in ANSWERS if kind == "wrong"])
async def test_a_worker_does_not_start_in_the_wrong_region(answers_with: Ask, answer: Answer) -> None:
    """It is a wrong setting, in one line."""
    answers_with(answer)

    with pytest.raises(SettingsError, match=r"^CUSTOMERIO_REGION: [^\n]+$"):
        await check_region(Settings())


@pytest.mark.parametrize(("kind", "level"), [("right", "info"), ("unknown", "warning"), ("refused", "error")])
async def test_a_worker_starts_when_it_may_pass(answers_with: Ask, kind: str, level: str) -> None:
    """With one line: an outage or wrong credentials are waited out, as later."""
    levels = []
    for answer in [answer for answer, expected, _ in ANSWERS if expected == kind]:
        answers_with(answer)
        with capture_logs() as lines:
            await check_region(Settings())
        levels.append([line["log_level"] for line in lines])

    assert levels == [[level]] * len(levels)


async def test_refused_credentials_say_what_to_do(answers_with: Ask, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Those from files need no new start."""
    key = tmp_path_factory.mktemp("secrets") / "key"
    key.write_text("key-1")
    answers_with(Answer(401, b""))
    with capture_logs() as lines:
        await check_region(load_settings({"CUSTOMERIO_TRACK_API_KEY_FILE": str(key)}))
        await check_region(Settings())

    assert [line["advice"] for line in lines] == [
        "CUSTOMERIO_TRACK_API_KEY_FILE: read again by itself",
        "set them, and start the worker again",
    ]
