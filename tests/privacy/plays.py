"""What is played on the stage: each play takes some of the paths on which data could get into an output."""

import signal
from collections.abc import Sequence
from typing import Final

import httpx

from tests.privacy.echoing_api import Mood
from tests.privacy.marked_data import FLOODING, MALFORMED_TRACE, RECORDS, WEBHOOKS, Given, fresh_change
from tests.privacy.marks import ADDRESS, NAME, OPAQUE
from tests.privacy.stage import Stage, send_raw
from tests.webhook_client import make_request

RESULTS: Final = "customerio-results"
FORGED: Final = {"X-CIO-Timestamp": "1", "X-CIO-Signature": ADDRESS, "X-Note": ADDRESS}
BEFORE: Final = (
    ("topics create", ("topics", "create")),
    ("topics check", ("topics", "check")),
    ("check", ("check",)),
    ("acls", ("acls", "worker", "--principal", "User:worker")),
)


def prepare(stage: Stage) -> None:
    """Commands of a new cluster, and records that are published by hand."""
    for name, arguments in BEFORE:
        stage.run(name, *arguments)
    lines = b"\n".join(each.value or b"" for each in RECORDS if each.topic == "user-changes").decode(errors="replace")
    file = stage.folder / "records.jsonl"
    file.write_text(lines)
    stage.run("publish", "publish", "user-changes", str(file), codes=(0, 1))
    stage.run("publish --json", "publish", "domain-events", str(file), "--json", codes=(0, 1))


def deliver(stage: Stage, collector_url: str) -> None:
    """A worker through records of every kind, an outage, refused credentials, a flood, replays; traced, as JSON."""
    more = {"TRACE_SAMPLE_RATIO": "1", "OTEL_EXPORTER_OTLP_ENDPOINT": collector_url}
    with stage.process("worker", "streams", "worker", **more) as worker:
        worker.wait_until_it_says("partitions assigned")
        stage.publish(RECORDS)
        stage.until(lambda: stage.count(RESULTS) >= stage.records)
        for number, mood in enumerate(MOODS):
            stage.api.mood = mood
            stage.publish([fresh_change(number)])
            stage.until(lambda mood=mood: stage.api.asked[mood] > 0)  # type: ignore[misc]  # bound as it is now
        stage.api.mood = "well"
        worker.wait_until_it_says("Customer.io works again")
        stage.publish(FLOODING, partition=1)
        worker.wait_until_it_says("held: a flood of dead letters")
        stage.read_pages("worker's pages", worker, "health and metrics")
        operate(stage)
        worker.wait_until_it_says("goes on after a flood")
        assert worker.stop() == 0


SHOWN: Final = 2
FORMS: Final = ((), ("--json",))
WHYS: Final = tuple((f"user-changes/0/{offset}", *form) for offset in (3, 6) for form in FORMS)
MOODS: Final[Sequence[Mood]] = ("odd", "down", "unknown")


def operate(stage: Stage) -> None:
    """Commands about dead letters, while a worker takes what they write."""
    letters = stage.letters()[:6]
    stage.run("dlq resume", "dlq", "resume", "domain-events", "--yes", "--reason-note", NAME)
    for form in FORMS:
        for asked in (("dlq", "list"), ("dlq", "stats"), ("dlq", "replay", "--all", "--what-if")):
            stage.run(" ".join((*asked, *form)), *asked, *form)
    for form in (*FORMS, ("--reveal",)):
        stage.run(" ".join(("dlq show", *form)), "dlq", "show", *letters[:SHOWN], *form)
    bad = stage.folder / "bad.json"
    bad.write_bytes(RECORDS[6].value or b"")
    good = stage.folder / "good.json"
    good.write_bytes(RECORDS[2].value or b"")
    stage.run("dlq edit --check", "dlq", "edit", letters[0], "--check", str(bad), codes=(0, 1))
    stage.run("dlq edit", "dlq", "edit", letters[0], "--in", str(good), "--yes", "--reason-note", NAME, codes=(0, 1))
    stage.run("dlq discard", "dlq", "discard", letters[1], "--yes", "--reason-note", NAME)
    stage.run("dlq replay", "dlq", "replay", *letters[2:5], "--yes")
    stage.run("dlq erase --what-if", "dlq", "erase", "--user", OPAQUE, "--what-if")


def crash(stage: Stage) -> None:
    """A worker whose sender fails as nobody foresaw, for people at a screen."""
    stage.publish([fresh_change(len(MOODS)), Given("domain-events", b"{", b"{", MALFORMED_TRACE)])
    with stage.process("worker that crashes", "tests.privacy.crashing_worker", LOG_FORMAT="console") as worker:
        worker.wait_for(lambda: worker.code is not None, 40)
        assert worker.code == 1


def receive(stage: Stage) -> None:
    """Webhooks of every kind, and forged ones; then an import of the same."""
    with stage.process("webhooks", "streams", "webhooks") as receiver:
        receiver.wait_until_it_says("ready for webhooks")
        url = next(str(line["url"]) for line in receiver.lines() if line["event"] == "receiving webhooks")
        port = int(url.split(":")[2].split("/")[0])
        whole = [make_request(body) for body in WEBHOOKS]
        forged = [make_request(WEBHOOKS[0], FORGED), make_request(WEBHOOKS[0], {}), ADDRESS.encode() + b"\r\n\r\n"]
        elsewhere = make_request(b"").replace(
            b"/webhooks/customerio", b"/" + ADDRESS.encode() + b"?email=" + ADDRESS.encode()
        )
        statuses = send_raw(port, [*whole, *forged, elsewhere])
        assert {200, 401, 404} <= set(statuses), statuses
        stage.read_pages("webhooks' pages", receiver, "receiving webhooks")
        assert receiver.stop() == 0
    export = stage.folder / "export.jsonl"
    export.write_bytes(b"\n".join(WEBHOOKS[:-1]))
    stage.run("webhooks import", "webhooks", "import", str(export), codes=(0, 1))
    stage.run("webhooks import --json", "webhooks", "import", str(export), "--json", codes=(0, 1))


def look(stage: Stage) -> None:
    """The warehouse, and the commands that ask what became of a record."""
    with stage.process("warehouse", "streams", "warehouse") as loader:
        loader.wait_until_it_says('"loading"')
        stage.read_pages("warehouse's pages", loader, "health and metrics")
        assert loader.stop() == 0
    with stage.process("dlq watch", "streams", "dlq", "watch") as watch:
        watch.wait_until_it_says("all dead letters are read")
        stage.read_pages("dlq watch's pages", watch, "health and metrics")
        assert watch.stop() == 0
    with stage.process("warehouse --once", "streams", "warehouse", "--once") as loader:
        loader.wait_for(lambda: loader.code is not None, 40)
    whys = (("why", *each) for each in WHYS)
    for asked in (("report",), ("report", "--json"), ("audit",), ("audit", "--json"), *whys):
        stage.run(" ".join(asked), *asked, codes=(0, 1))
    stage.run("report --html", "report", "--html", str(stage.page))
    stage.outputs["the page of report"] = stage.page.read_text()


def run_up(stage: Stage) -> None:
    """All of it at once, as on a developer's machine."""
    stage.publish(RECORDS)
    with stage.process("up", "streams", "up", TMPDIR=str(stage.folder)) as up:
        up.wait_for(lambda: any("dead 1" in str(line["event"]) for line in up.lines()), 40)
        texts = [each.read_text() for each in stage.folder.glob("cio-up-*/*.log")]
        up.send(signal.SIGINT)
        up.wait_for(lambda: up.code is not None, 15)
        stage.outputs["logs of up"] = "\n".join(texts)


def stand_in(stage: Stage) -> None:
    """The sandbox: what it puts out, apart from the pages that are there to show what arrived."""
    with stage.process("sandbox", "streams", "sandbox", "--port", "0") as sandbox:
        sandbox.wait_until_it_says("listening on ")
        url = str(sandbox.lines()[0]["event"]).rpartition(" ")[2]
        for body in (b'{"batch": [{"type": "person", "identifiers": {"id": "%s"}}]}' % ADDRESS.encode(), b"{"):
            httpx.post(f"{url}/api/v2/batch?email={ADDRESS}", content=body, auth=(ADDRESS, ADDRESS), trust_env=False)
        sandbox.send(signal.SIGINT)
        sandbox.wait_for(lambda: sandbox.code is not None, 15)
