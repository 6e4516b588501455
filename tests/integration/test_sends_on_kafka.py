"""Sends on a real Kafka: each goes out once or is set aside, and has one result, whoever is killed when."""

from collections import Counter
from pathlib import Path

import httpx

from tests.conftest import SettingsFactory
from tests.faults.hanging import HANGS
from tests.integration.sends_stage import sends_stage, until, words
from tests.replays import letter_of, replay_headers
from tests.scraped import is_as_declared
from tests.sends import make_message

OUT = {"type": "user.upserted", "user": {"id": "out", "preferences": {"marketing": False, "transactional": False}}}


def test_messages_and_triggers_are_sent(settings_factory: SettingsFactory, tmp_path: Path) -> None:
    """With their ids on the results; repeats, refusals and people who are gone get none."""
    with sends_stage(settings_factory(), tmp_path) as world, world.worker("only"):
        world.publish("user-changes", "out", OUT)
        world.concluded()
        world.message("a", "u-1")
        world.message("a", "u-1")
        world.message("b", "out")
        world.message("c", "out", send_to_unsubscribed=True)
        world.message("d", "u-2", identifiers={"id": "u-2", "email": "x@example.com"})
        world.message("e", "u-3", attachments={"a.exe": "AAAA"})
        world.publish("broadcast-triggers", "12", {"trigger_id": "t", "broadcast_id": 12, "data": {"code": "X"}})
        results = world.concluded()
        outbox = world.outbox()

    trigger, *messages = results[:-1]
    assert words(messages) == ["delivered", "fingerprint", "user_opted_out", "delivered", "malformed", "rejected"]
    assert [each["user_id"] for each in messages] == ["u-1", "u-1", "out", "out", "u-2", "u-3"]
    assert {each["delivery_id"] for each in messages if each["outcome"] == "delivered"} == {
        each["delivery_id"] for each in outbox if each["trigger_id"] is None
    }
    assert (trigger["outcome"], trigger["operations"], trigger["delivery_id"].isdecimal()) == (
        "delivered",
        ["trigger_broadcast"],
        True,
    )


def _hanging(what: str) -> tuple[str, str]:
    return "tests.faults.hanging", what


def test_workers_killed_before_and_after_the_call_leave_what_nobody_knows(
    settings_factory: SettingsFactory, tmp_path: Path
) -> None:
    """Sent or not, each is set aside, and so is its repeat; the rest goes out, and an operator's word sends it once."""
    with sends_stage(settings_factory(), tmp_path) as world:
        before, after = _hanging("send"), _hanging("conclusion")
        with world.worker("before", command=before) as one, world.worker("after", command=after) as other:
            one.wait_for(lambda: one.lines_with("partitions assigned") == 2, 30.0)
            for partition in (0, 1):
                world.message(f"m-{partition}", f"u-{partition}", partition=partition)
                world.message(f"n-{partition}", f"v-{partition}", partition=partition)
                world.message(f"later-{partition}", f"u-{partition}", partition=partition)
                world.message(f"m-{partition}", f"w-{partition}", partition=partition)
            world.flush()
            until(lambda: all(worker.said(HANGS) for worker in (one, other)))
            killed_with = world.sent()
        with world.worker("next"):
            told = words(world.concluded())
            sent, letters = world.sent(), world.letters()
            for letter in letters:
                headers = replay_headers(letter.headers, even_if_sent=b'"m-' in (letter.value or b""))
                place = letter.place.partition
                world.publish("customerio-replay", "u", letter.value or b"", partition=place, headers=headers)
            replays = Counter(words(world.concluded()[: len(letters)]))
            resent = world.sent() - sent

    (lucky,) = {message_id[-1] for message_id in killed_with}
    waited = told[1], told[5]  # those that came in the chunk of the first were under way with it
    assert [told[at] for at in (0, 2, 3, 4, 6, 7)] == ["ambiguous_send", "delivered", "ambiguous_send"] * 2
    assert killed_with[f"m-{lucky}"] == 1
    assert sent == killed_with | Counter(
        {"later-0": 1, "later-1": 1} | {f"n-{partition}": 1 for partition in (0, 1) if waited[partition] == "delivered"}
    )
    assert resent == {"m-0": 1, "m-1": 1}
    assert replays == +Counter(delivered=2, fingerprint=2, ambiguous_send=waited.count("ambiguous_send"))


def test_answers_that_leave_it_open_and_answers_that_do_not(settings_factory: SettingsFactory, tmp_path: Path) -> None:
    """A 429 and a 401 are tried again; a 503, a reset and a time-out are set aside, and the next send reads first."""
    kinds = ("429", "503", "reset_after", "hang", "401")
    with sends_stage(settings_factory(), tmp_path) as world, world.worker("only", REQUEST_TIMEOUT_S="1"):
        for kind in kinds:
            world.fault(kind, count=1, hang_s=3)
            world.message(kind, kind)
            world.concluded()
        world.message("after", "after")
        results = world.concluded()
        sent, reads = world.sent(), world.requests("/v1/workspaces")

    assert words(results) == ["delivered", *["ambiguous_send"] * 3, "delivered", "delivered"]
    assert [each["attempts"] for each in results] == [1] * 6
    assert sent == {"429": 1, "reset_after": 1, "401": 1, "after": 1}
    assert len(reads) >= 4


def test_a_rebalance_in_the_middle_sends_nothing_twice(settings_factory: SettingsFactory, tmp_path: Path) -> None:
    """What is on its way ends first, the rest goes to whoever has the partition then; nothing is set aside."""
    count = 60
    with sends_stage(settings_factory(), tmp_path) as world:
        world.repair(latency_ms=100)
        with world.worker("first", DRAIN_S="10"):
            for number in range(count):
                world.message(f"m-{number % 50}", f"u-{number}", partition=number % 2)
            world.flush()
            until(lambda: world.sent().total() > 5)
            with world.worker("second", DRAIN_S="10") as second:
                until(lambda: world.sent().total() > 25)
                second.stop()
                results = world.concluded()
        sent = world.sent()

    assert Counter(words(results)) == {"delivered": 50, "fingerprint": 10}
    assert sent == {f"m-{number}": 1 for number in range(50)}


def test_without_a_key_messages_wait(settings_factory: SettingsFactory, tmp_path: Path) -> None:
    """The worker says so, and does all else."""
    with sends_stage(settings_factory(), tmp_path) as world:
        world.message("a", "u-1")
        with world.worker("without", CUSTOMERIO_APP_API_KEY="") as worker:
            worker.wait_until_it_says("not consumed, for want of CUSTOMERIO_APP_API_KEY")
            world.publish("user-changes", "out", OUT)
            until(lambda: len(world.results()) == 1)
            worker.stop()
        with world.worker("with"):
            assert words(world.concluded()) == ["delivered", "delivered"]


def test_a_replayed_message_waits_for_a_worker_with_a_key(settings_factory: SettingsFactory, tmp_path: Path) -> None:
    """It makes no dead letter meanwhile; live records go on, and the page of readiness says what is missing."""
    with sends_stage(settings_factory(), tmp_path) as world:
        record = make_message("a", "u-1")
        world.publish("customerio-replay", "u-1", record.value, headers=replay_headers(letter_of(record)))
        with world.worker("without", CUSTOMERIO_APP_API_KEY="") as worker:
            worker.wait_until_it_says("Customer.io is held")
            url = next(line["url"] for line in worker.lines() if line["event"] == "health and metrics")
            ready = httpx.get(f"{url}/readyz", trust_env=False).json()
            world.publish("user-changes", "out", OUT)
            until(lambda: len(world.results()) == 1)
            worker.stop()
        with world.worker("with"):
            told, letters = words(world.concluded()), world.letters()

    assert ready["apis"]["send"] == {"state": "open", "reason": "no_key"}
    assert (told, letters) == (["delivered", "delivered"], [])


def test_the_breakers_of_all_apis_are_told(settings_factory: SettingsFactory, tmp_path: Path) -> None:
    """On the page of readiness, and among the metrics."""
    with sends_stage(settings_factory(), tmp_path) as world, world.worker("only") as worker:
        url = next(line["url"] for line in worker.lines() if line["event"] == "health and metrics")
        ready = httpx.get(f"{url}/readyz", trust_env=False).json()
        metrics = httpx.get(f"{url}/metrics", trust_env=False).text

    assert is_as_declared(metrics, "worker")
    assert set(ready["apis"]) == {"track", "send", "broadcast"}
    assert 'cio_breaker{api="send",reason="",state="closed"} 1.0' in metrics
