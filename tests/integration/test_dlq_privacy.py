"""No command shows personal data unless it is asked to, wherever a publisher has put it."""

from pathlib import Path
from typing import Final

import orjson

from schemas.record import Stored
from streams.settings import Settings
from tests.conftest import SettingsFactory
from tests.integration.letters_on_kafka import dlq, write_letters
from tests.integration.recorded_history import History, run
from tests.letters import make_letter
from tests.unit.input_records import InputRecord

MARK: Final = "zzmark"
ADDRESS: Final = "zzmark.ada@secret.example"
PHONE: Final = "447911123456"
REACHING: Final = (f"whatsapp:+{PHONE}", f"tel_{PHONE}", "zzmark%40secret.example")
NAME: Final = "Zzmarkname Zzmarksurname, Zzmarkstreet 5, London"
FAULTS: Final = (
    f"user.{ADDRESS}: unknown field",
    f"user.{NAME}: unknown field",
    f"{ADDRESS}: is bad",
    f"data.{REACHING[1]}: unknown field",
)


def change(offset: int, **fields: object) -> InputRecord:
    """A change that a worker would set aside again."""
    value = orjson.dumps({"type": "user.upserted", "user": {"id": "u-4", **fields}})
    return InputRecord(key=b"u-4", value=value, offset=offset)


def marked(settings: Settings) -> list[Stored]:
    """Letters whose names of fields, keys, values and headers are somebody's."""
    whole = change(3, attributes={"plan": ADDRESS})
    records = [
        change(0, **{ADDRESS: "x"}),
        change(1, **{NAME: "x"}),
        change(2, attributes={ADDRESS: "x" * 1_001}),
        InputRecord(key=whole.value, value=whole.value, offset=3),
        InputRecord(key=NAME.encode(), value=ADDRESS.encode(), offset=4, headers=[(ADDRESS, NAME.encode())]),
        InputRecord(key=ADDRESS.encode(), value=orjson.dumps({"type": NAME, ADDRESS: NAME}), offset=5),
        *(
            InputRecord(key=text.encode(), value=orjson.dumps({"user": {"id": text, text: 1}}), offset=6 + at)
            for at, text in enumerate(REACHING)
        ),
    ]
    topic = settings.topic("user-changes")
    placed = [
        InputRecord(topic=topic, offset=each.offset, key=each.key, value=each.value, headers=each.headers)
        for each in records
    ]
    return [make_letter(each, "malformed", message=FAULTS[at % len(FAULTS)]) for at, each in enumerate(placed)]


def test_what_is_somebodys_is_masked_in_every_command(settings_factory: SettingsFactory, tmp_path: Path) -> None:
    """Lists, pages, rehearsals, faults of an edit, stories: on either stream, as text and as JSON."""
    settings = settings_factory(topic_partitions=1)
    names = write_letters(settings, marked(settings))
    bad = tmp_path / "bad.json"
    bad.write_bytes(change(0, **{ADDRESS: 7}).value or b"")
    commands = [
        *(("list",), ("list", "--json"), ("stats",), ("stats", "--json")),
        *(("show", *names), ("show", *names, "--json")),
        *(("replay", "--all", "--what-if"), ("replay", "--all", "--what-if", "--json")),
    ]
    refused = [("edit", names[0], "--check", str(bad)), ("edit", names[0], "--check", str(bad), "--json")]
    done = [dlq(settings, *each) for each in commands] + [dlq(settings, *each, code=1) for each in refused]
    revealed = [dlq(settings, *each, "--reveal").stdout for each in commands if each[0] in {"list", "show", "replay"}]
    replayed = dlq(settings, "replay", "--all", "--yes")

    assert [""] * len(done) == [_leaked(each.stdout + each.stderr) for each in (*done,)]
    assert "" == _leaked(replayed.stdout + replayed.stderr)
    assert all(MARK in each.lower() for each in revealed)


def test_a_story_masks_names_of_fields(settings_factory: SettingsFactory) -> None:
    """Of results, of letters, of replays."""
    settings = settings_factory(topic_partitions=1)
    history = History(settings)
    history.publish("user-changes", 1, key=NAME.encode(), value=b"{")
    place = ("user-changes", 0, 0)
    history.conclude([place], outcome="dead", reason="malformed", detail=FAULTS[0], user_id=ADDRESS)
    write_letters(settings, [marked(settings)[0]])
    told = [run(settings, "why", "user-changes/0/0", *more) for more in ([], ["--json"], ["--reveal"])]

    assert ["", "", MARK] == [_leaked(each.stdout + each.stderr) for each in told]


def _leaked(text: str) -> str:
    """The mark, if it is there, or a telephone number that was in its place."""
    return MARK if MARK in text.lower() or PHONE in text else ""
