"""What an operator hears of an edit afterwards, on a real Kafka: from the letter, and in the story of its record."""

import json
from pathlib import Path
from typing import Final

from schemas.dead_letter import LetterName
from schemas.decision import Decision
from streams.settings import Settings
from tests.conftest import SettingsFactory
from tests.integration import dlq_stage as stage
from tests.integration.dlq_stage import dlq, told
from tests.integration.recorded_history import run, run_json
from tests.integration.test_dlq_discard import decide
from tests.unit.input_records import InputRecord, make_upsert

WHY: Final = ("--reason-note", "a typo", "--by", "ada", "--yes")
MASKED: Final = '-    "email": 7\n+    "email": "a***m (15)"'
REVEALED: Final = '-    "email": 7\n+    "email": "ada@example.com"'


def edited(settings: Settings, folder: Path) -> None:
    """A record whose letter 0/0 was edited, and replayed once more as it was."""
    record = make_upsert(key=b"u-1", email=7)
    stage.publish(settings, [record])
    placed = InputRecord(topic=settings.topic(record.topic), key=record.key, value=record.value)
    stage.write_letters(settings, [stage.letter_of(placed, "malformed")])
    file = folder / "value.json"
    file.write_bytes((record.value or b"").replace(b"7", b'"ada@example.com"'))
    for done in (
        dlq(settings, "edit", "0/0", "--in", str(file), *WHY),
        dlq(settings, "replay", "0/0", "--again", "--yes"),
    ):
        assert done.returncode == 0, done.stderr


def test_who_edited_when_why_and_what_is_told(settings_factory: SettingsFactory, tmp_path: Path) -> None:
    """Also when a later decision hides it; masked, unless it is to be revealed."""
    settings = settings_factory(topic_partitions=1)
    edited(settings, tmp_path)
    (explained,), (revealed,) = (told(dlq(settings, "show", "0/0", "--json", *more)) for more in ((), ("--reveal",)))
    (edit,) = explained["edits"]
    page = dlq(settings, "show", "0/0").stdout
    story, open_story = (run_json(settings, "why", "user-changes/0/0", *more)[1] for more in ((), ("--reveal",)))
    lines = run(settings, "why", "user-changes/0/0").stdout
    again, plain = story["replays"]

    assert (settings.topic("customerio-replay/0/0"), "ada", "a typo") == (edit["replay"], edit["by"], edit["note"])
    assert MASKED in edit["diff"]
    assert REVEALED in revealed["edits"][0]["diff"]
    assert {name: edit[name] for name in ("by", "at", "note", "diff")} == again["edited"]
    assert plain["edited"] is None
    assert REVEALED in open_story["replays"][0]["edited"]["diff"]
    for shown in (page, lines):
        assert f"at {edit['at']} by ada: a typo" in shown
        assert '+    "email": "a***m (15)"' in shown
    assert "example.com" not in json.dumps([explained, story]) + page + lines


def test_what_was_never_replayed_has_no_edits(settings_factory: SettingsFactory) -> None:
    """A discarded letter, for example."""
    settings = settings_factory(topic_partitions=1)
    stage.write_letters(settings, [stage.letter_of(make_upsert(key=b"u-1"), "rejected")])
    decide(settings, str(LetterName(0, 0)), Decision(decision="discarded", at=stage.FAILED_AT, by="ada"))

    assert [] == told(dlq(settings, "show", "0/0", "--json"))[0]["edits"]
