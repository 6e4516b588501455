"""`cio-streams dlq edit` in a subprocess, on a real Kafka, and letters of each reason mended and replayed."""

import stat
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import pytest

from schemas import dead_letter
from streams.settings import Settings
from tests.conftest import SettingsFactory
from tests.integration import dlq_stage as stage
from tests.integration.dlq_stage import dlq
from tests.integration.letter_mix import change, event
from tests.integration.troubled_stage import troubled_stage

WHY: Final = ("--reason-note", "mended by hand", "--by", "ada", "--yes")


@pytest.fixture
def settings(settings_factory: SettingsFactory) -> Settings:
    """Give one partition with a letter 0/0 whose e-mail address is a number."""
    settings = settings_factory(topic_partitions=1)
    stage.write_letters(settings, [stage.letter_of(change("u-1", email=7, plan="pro"), "malformed")])
    return settings


def editor(folder: Path, *replacements: tuple[str, str]) -> str:
    """The command of an editor that replaces one text each time that it is opened, and the first ever after."""
    script = folder / "editor.py"
    script.write_text(
        "import pathlib, sys\n"
        f"file, count, made = pathlib.Path(sys.argv[1]), pathlib.Path({str(folder / 'count')!r}), {replacements!r}\n"
        "number = len(count.read_text()) if count.exists() else 0\n"
        "count.write_text('x' * (number + 1))\n"
        "file.write_text(file.read_text().replace(*made[number]))\n"
    )
    return f"{sys.executable} {script}"


def written(settings: Settings) -> tuple[Sequence[Any], Sequence[Any]]:
    """What there is of replays and decisions."""
    return stage.copies(settings), stage.decisions(settings)


def test_by_way_of_a_file(settings: Settings, tmp_path: Path) -> None:
    """Taken out in lines, judged, put back as a replay of the same letter that tells who, when, why and what."""
    file = tmp_path / "value.json"
    file.write_text("x" * 10_000)
    file.chmod(0o777)
    taken = dlq(settings, "edit", "0/0", "--out", str(file))
    text, mode = file.read_text(), stat.S_IMODE(file.stat().st_mode)
    bad = dlq(settings, "edit", "0/0", "--check", str(file), "--json")
    refused = dlq(settings, "edit", "0/0", "--in", str(file), *WHY)
    file.write_text(text.replace("7", '"ada@example.com"'))
    wrong_key = tmp_path / "wrong.json"
    wrong_key.write_text(file.read_text().replace("u-1", "u-2"))
    mismatch = dlq(settings, "edit", "0/0", "--check", str(wrong_key))
    nothing = written(settings)

    done = dlq(settings, "edit", "0/0", "--in", str(file), "--json", *WHY)
    twice = dlq(settings, "edit", "0/0", "--in", str(file), *WHY)

    assert (0, 0o600) == (taken.returncode, mode)
    assert '    "email": 7,\n' in text
    fault = "malformed: user.email: must be a string"
    assert [{"letter": "0/0", "valid": False, "fault": fault}] == stage.told(bad)
    assert f"A worker would not take it: {fault}\n" == bad.stderr
    assert "Nothing was changed, so nothing is written\n" == refused.stdout
    assert "key and user.id differ" in mismatch.stderr
    assert [1, 0, 1, 0, 1] == [each.returncode for each in (bad, refused, mismatch, done, twice)]
    assert ([], []) == nothing
    assert [{"letter": "0/0", "changed": True, "verdict": "delivered", "reason": None, "detail": None}] == stage.told(
        done
    )
    assert "Letter 0/0 was replayed already" in twice.stderr
    assert_edited(settings)


def assert_edited(settings: Settings) -> None:
    """The letter's e-mail address was mended, once, and everything about it is told."""
    (copy,), ((name, decision),) = written(settings)
    told = dead_letter.replay_texts(copy.headers)
    assert b'{"type":"user.upserted","user":{"id":"u-1","email":"ada@example.com","plan":"pro"}}' == copy.value
    assert ("0/0", "edited", "ada", "mended by hand") == (name, decision.decision, decision.by, decision.note)
    assert ("0/0", "ada", "mended by hand") == (
        told[dead_letter.NAMED],
        told[dead_letter.EDITED_BY],
        told[dead_letter.REPLAY_NOTE],
    )
    assert told[dead_letter.EDITED_AT] <= decision.at
    assert '-    "email": 7,\n+    "email": "ada@example.com",' in told[dead_letter.EDIT_DIFF]
    assert 1 == dead_letter.replays_of(copy.headers)


def test_in_an_editor(settings: Settings, tmp_path: Path) -> None:
    """What a worker would not take is told with its field and never written; what is not changed neither."""
    untouched, wrong, right = (tmp_path / name for name in ("untouched", "wrong", "right"))
    for folder in (untouched, wrong, right):
        folder.mkdir()
    unchanged = dlq(settings, "edit", "0/0", *WHY, EDITOR="true")
    broken = dlq(settings, "edit", "0/0", *WHY, EDITOR="false")
    bad = dlq(settings, "edit", "0/0", *WHY, EDITOR=editor(wrong, ("7", "8")))
    nothing = written(settings)

    done = dlq(settings, "edit", "0/0", *WHY, EDITOR=editor(right, ("7", '"ada@example.com"')))

    assert (0, 1, 1, 0) == (unchanged.returncode, broken.returncode, bad.returncode, done.returncode), done.stderr
    assert "Nothing was changed, so nothing is written\n" == unchanged.stdout
    assert "The editor does not work" in broken.stderr
    kept = Path(bad.stderr.rpartition(" is in ")[2].removesuffix(", for --in\n"))
    assert (0o600, True) == (stat.S_IMODE(kept.stat().st_mode), '"email": 8' in kept.read_text())
    kept.unlink()
    assert "A worker would not take it: malformed: user.email: must be a string\n" in bad.stderr
    assert ([], []) == nothing
    assert_edited(settings)


def test_who_is_erased_while_the_editor_is_open_is_not_written_again(settings: Settings, tmp_path: Path) -> None:
    """Nothing of the person is left, whatever is put back."""
    script = tmp_path / "eraser.sh"
    script.write_text(
        f"""#!/bin/sh\n{sys.executable} -m streams dlq erase --user u-1 --yes && sed -i 's/7/"a@b.c"/' "$1"\n"""
    )
    script.chmod(0o755)
    done = dlq(settings, "edit", "0/0", *WHY, EDITOR=str(script))

    assert (1, "Letter 0/0 is not there any more; nothing was written") == (
        done.returncode,
        done.stderr.splitlines()[-1],
    )
    assert [] == stage.copies(settings)
    assert [] == [each.place for each in stage.letters(settings)]


def test_a_letter_that_is_not_there_and_one_that_is_parked(settings: Settings) -> None:
    """The same rules as for a replay."""
    stage.write_letters(settings, [stage.letter_of(change("u-1"), replays=3)])

    missing = dlq(settings, "edit", "0/9", "--out", "-")
    parked = dlq(settings, "edit", "0/1", "--in", "/dev/null", *WHY)

    assert missing.stderr.startswith("There is no letter 0/9: `cio-streams dlq list`")
    assert "Letter 0/1 was replayed too often and is parked: --force replays it all the same\n" == parked.stderr
    assert ([], []) == written(settings)


def test_each_reason_is_mended_and_replayed(settings_factory: SettingsFactory, tmp_path: Path) -> None:
    """By an edit, or because Customer.io is mended: every letter that a worker has written is delivered in the end."""
    settings = settings_factory(topic_partitions=1)
    refused = {"cio_subscription_preferences": {"topics": {"topic_1": "yes"}}}
    records = {
        "malformed": change("malformed", email=7),
        "too_large": event("too_large", id="i", data={"big": "x" * 40_000}),
        "rejected": change("rejected", attributes=refused),
        "retries_exhausted": change("poison"),
    }
    with troubled_stage(settings, tmp_path, RETRY_BACKOFF_S="0.1", RETRY_ATTEMPTS="2") as world:
        world.fault(rate=1.0, kinds=["500"], containing='"poison"')
        stage.publish(settings, [*records.values(), *(change(f"u-{number}") for number in range(20))])
        world.worker.wait_for(lambda: len(names_by_reason(settings)) == len(records), 30)
        names = names_by_reason(settings)
        world.fault()
        edits = {"malformed": ("7", '"m@example.com"'), "rejected": ('"yes"', "true"), "too_large": ("x" * 40_000, "x")}
        for reason, replacement in edits.items():
            (folder := tmp_path / reason).mkdir()
            done = dlq(settings, "edit", names[reason], *WHY, EDITOR=editor(folder, replacement))
            assert done.returncode == 0, done.stderr
        done = dlq(settings, "replay", "--all", "--yes")
        world.worker.wait_for(lambda: len(stage.results_of_letters(settings)) == len(records), 20)

    assert set(records) == set(names)
    assert "1 of 1 letter replayed\n" in done.stdout
    assert {name: ["delivered"] for name in names.values()} == {
        name: [each["outcome"] for each in found] for name, found in stage.results_of_letters(settings).items()
    }


def names_by_reason(settings: Settings) -> dict[str, str]:
    """The letters that a worker has written."""
    return {
        stage.header(each.headers, dead_letter.REASON) or "": f"{each.place.partition}/{each.place.offset}"
        for each in stage.letters(settings)
    }
