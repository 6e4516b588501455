"""Credentials that change in their files: which change is seen, when it is told, and what bad content does."""

import os
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
from structlog.testing import capture_logs

from streams.customerio.credentials import HELD_READ_S, LOOK_S, READ_S, Credentials
from streams.settings import load_settings
from tests.unit.credential_files import KEY, SITE, Secrets, rename_over


@pytest.fixture
def secrets(tmp_path: Path) -> Secrets:
    """Give the files and their credentials."""
    return Secrets(tmp_path)


def rewrite_at_the_same_time(path: Path) -> None:
    """In place, with as many bytes, and with the time that it had."""
    before = path.stat()
    while path.stat().st_ctime_ns == before.st_ctime_ns:  # a disk's clock ticks every few milliseconds
        path.write_text("key-2\n")
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def rewrite_shorter(path: Path) -> None:
    """In place, without the line break."""
    path.write_text("key-2")


@pytest.mark.parametrize("change", [rename_over, rewrite_at_the_same_time, rewrite_shorter])
def test_a_changed_file_is_seen(secrets: Secrets, change: Callable[[Path], None]) -> None:
    """However it was changed, the next look finds it."""
    change(secrets.key)

    assert secrets.later() == ("site-1", "key-2")


@pytest.mark.parametrize("field", ["st_mtime_ns", "st_ctime_ns", "st_size", "st_ino"])
def test_one_difference_is_enough(secrets: Secrets, monkeypatch: pytest.MonkeyPatch, field: str) -> None:
    """Whichever way of changing a file leaves the others alone."""
    found = secrets.key.stat()
    same = {name: getattr(found, name) for name in ("st_mode", "st_mtime_ns", "st_ctime_ns", "st_size", "st_ino")}
    secrets.key.write_text("key-2\n")
    monkeypatch.setattr(Path, "stat", lambda _: SimpleNamespace(**same))
    before = secrets.later()
    same[field] += 1

    assert (before, secrets.later()) == (("site-1", "key-1"), ("site-1", "key-2"))


def test_a_link_that_is_pointed_elsewhere_is_seen(tmp_path: Path) -> None:
    """So Kubernetes swaps a whole secret: `..data` becomes a link to another folder, with the same times and sizes."""
    for name in ("1", "2"):
        folder = tmp_path / f"..{name}"
        folder.mkdir()
        (folder / "key").write_text(f"key-{name}")
        os.utime(folder / "key", ns=(0, 0))
    (tmp_path / "..data").symlink_to("..1")
    (tmp_path / "key").symlink_to("..data/key")
    (tmp_path / "site").write_text("site-1")
    settings = load_settings({SITE: str(tmp_path / "site"), KEY: str(tmp_path / "key")})
    credentials = Credentials(settings)
    before = credentials.current()

    (tmp_path / "..data_tmp").symlink_to("..2")
    (tmp_path / "..data_tmp").replace(tmp_path / "..data")

    assert credentials.changed()
    assert (before, credentials.current()) == (("site-1", "key-1"), ("site-1", "key-2"))


def test_two_changes_in_one_tick_of_a_disk_are_seen(secrets: Secrets, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nothing tells them apart, what is new is read once more."""
    secrets.key.write_text("key-x\n")
    changed = secrets.key.stat()
    first = secrets.later()
    secrets.key.write_text("key-2\n")
    monkeypatch.setattr(Path, "stat", lambda _: changed)

    assert (first, secrets.later()) == (("site-1", "key-x"), ("site-1", "key-2"))


def test_files_are_looked_at_once_a_second_at_most(secrets: Secrets) -> None:
    """Requests may be many."""
    rename_over(secrets.key)
    secrets.now_s += LOOK_S - 0.01

    assert secrets.credentials.current() == ("site-1", "key-1")
    assert secrets.later() == ("site-1", "key-2")


def test_a_change_before_the_first_request_is_seen(tmp_path: Path) -> None:
    """Between the reading of the settings and the first request a worker takes a second to start."""
    made = Secrets(tmp_path)
    made.key.write_text("key-2")

    assert Credentials(made.settings).current() == ("site-1", "key-2")


def test_refused_credentials_are_read_at_once(secrets: Secrets, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not a second later, and whatever a disk says about the file, whose clock may be coarse."""
    found = secrets.key.stat()
    monkeypatch.setattr(Path, "stat", lambda _: found)
    secrets.key.write_text("key-2")
    secrets.credentials.refused(("site-1", "key-1"))

    assert secrets.credentials.current() == ("site-1", "key-2")
    assert secrets.credentials.changed()


@pytest.fixture
def mounted(secrets: Secrets, monkeypatch: pytest.MonkeyPatch) -> Secrets:
    """Files as Cloud Run mounts a secret: fetched anew by each read, while nothing else about them changes."""
    found = secrets.key.stat()
    monkeypatch.setattr(Path, "stat", lambda _: found)
    secrets.later()  # what is new is read once more, so that this does not count below
    secrets.credentials.refused(("site-1", "key-1"))
    secrets.key.write_text("key-2")
    return secrets


def test_a_mounted_secret_is_read_every_half_minute(mounted: Secrets) -> None:
    """A new version reaches a running worker although the file looks the same, and no request waits for it."""
    mounted.now_s += READ_S - 0.5
    before = mounted.credentials.current()
    mounted.now_s += LOOK_S

    assert (before, mounted.credentials.current()) == (("site-1", "key-1"), ("site-1", "key-2"))


def test_a_mounted_secret_is_read_more_often_while_requests_are_held(mounted: Secrets) -> None:
    """After a refusal nothing else is waited for."""
    mounted.now_s += HELD_READ_S - 0.01
    before = mounted.credentials.changed()
    mounted.now_s += 0.01

    assert (before, mounted.credentials.changed()) == (False, True)


def test_a_mounted_secret_is_read_at_once_for_a_look(mounted: Secrets) -> None:
    """But once a second at most: anybody can make a receiver look, with a forged signature."""
    mounted.now_s += LOOK_S - 0.01
    mounted.credentials.look()
    before = mounted.credentials.current()
    mounted.now_s += 0.01
    mounted.credentials.look()

    assert (before, mounted.credentials.current()) == (("site-1", "key-1"), ("site-1", "key-2"))


def test_a_change_is_told_once(secrets: Secrets) -> None:
    """And only once it has come."""
    told = [secrets.credentials.changed()]
    rename_over(secrets.key)
    told += [secrets.credentials.changed(), secrets.credentials.changed()]

    assert told == [False, True, False]


def test_each_of_a_pair_counts(secrets: Secrets) -> None:
    """A probe between the two changes fails; the second one is a reason for another."""
    secrets.site.write_text("site-2")
    first = secrets.credentials.changed()
    secrets.credentials.refused(secrets.credentials.current())
    between = secrets.credentials.changed()
    secrets.key.write_text("key-2")

    assert (first, between, secrets.credentials.changed()) == (True, False, True)
    assert secrets.credentials.current() == ("site-2", "key-2")


def test_what_was_in_use_when_it_was_refused_is_no_news(secrets: Secrets) -> None:
    """A change that was picked up long ago is no reason to hope."""
    rename_over(secrets.key)
    secrets.later()
    secrets.credentials.refused(("site-1", "key-2"))

    assert not secrets.credentials.changed()


def test_a_change_during_the_refused_request_is_news(secrets: Secrets) -> None:
    """The request carried the old one, also when the new one has been picked up since."""
    rename_over(secrets.key)
    secrets.later()
    secrets.credentials.refused(("site-1", "key-1"))

    assert secrets.credentials.changed()


def test_a_file_that_is_only_touched_is_no_news(secrets: Secrets) -> None:
    """The value counts."""
    os.utime(secrets.key)

    assert not secrets.credentials.changed()


def test_values_without_files_stay() -> None:
    """The environment of a process does not change."""
    credentials = Credentials(load_settings({"CUSTOMERIO_SITE_ID": "s", "CUSTOMERIO_TRACK_API_KEY": "k"}))
    credentials.refused(("s", "k"))

    assert credentials.current() == ("s", "k")
    assert not credentials.changed()


def test_any_credential_can_be_followed(tmp_path: Path) -> None:
    """The App API's key as well, alone."""
    (tmp_path / "key").write_text("key-1")
    settings = load_settings({"CUSTOMERIO_APP_API_KEY_FILE": str(tmp_path / "key")})
    credentials = Credentials(settings, ["customerio_app_api_key"])
    credentials.current()
    rename_over(tmp_path / "key")

    assert credentials.changed()
    assert credentials.current() == ("key-2",)


def remove(path: Path) -> None:
    """Leave nothing."""
    path.unlink()


def make_folder(path: Path) -> None:
    """A mount that went wrong."""
    path.unlink()
    path.mkdir()


def make_pipe(path: Path) -> None:
    """A read would wait for somebody to write, and everything with it."""
    path.unlink()
    os.mkfifo(path)


BAD_CONTENTS = {
    "empty": b"",
    "only a line break": b"\n",
    "two lines": b"s3cret\ns3cret\n",
    "a blank": b"s3cret with blanks",
    "unprintable": b"s3cret\x00",
    "not UTF-8": b"s3cret\xff",
    "too long": b"s3cret" * 20_000,
}
BAD: list[Callable[[Path], object]] = [
    remove,
    make_folder,
    make_pipe,
    *(lambda path, content=content: path.write_bytes(content) for content in BAD_CONTENTS.values()),
]


@pytest.mark.parametrize("spoil", BAD, ids=["gone", "a folder", "a pipe", *BAD_CONTENTS])
def test_bad_content_changes_nothing_and_is_said_once(secrets: Secrets, spoil: Callable[[Path], object]) -> None:
    """One line names the variable, not the value, however often it is looked at; good content is taken afterwards."""
    spoil(secrets.key)
    with capture_logs() as lines:
        during = [secrets.later(), secrets.later()]
        secrets.credentials.refused(during[0])
        told = secrets.credentials.changed()
    if secrets.key.is_dir():
        secrets.key.rmdir()
    rename_over(secrets.key)

    assert during == [("site-1", "key-1")] * 2
    assert not told
    assert [line["log_level"] for line in lines] == ["warning"]
    assert lines[0]["fault"].startswith("CUSTOMERIO_TRACK_API_KEY_FILE: ")
    assert "\n" not in lines[0]["fault"]
    assert "s3cret" not in str(lines)
    assert secrets.later() == ("site-1", "key-2")


def test_every_bad_content_is_said(secrets: Secrets) -> None:
    """Whoever mends it wants to know that it is still wrong."""
    with capture_logs() as lines:
        for content in ("", "two words", "", "key-2"):
            secrets.key.write_text(content)
            secrets.later()
        for _ in range(2):
            remove(secrets.key)
            secrets.later()
            rename_over(secrets.key)
            secrets.later()

    assert [line["log_level"] for line in lines] == ["warning"] * 3 + ["info"] + ["warning"] * 2


def test_a_bad_file_does_not_keep_the_other_from_being_read(secrets: Secrets) -> None:
    """Each stands for itself."""
    secrets.site.write_text("")
    rename_over(secrets.key)

    assert secrets.later() == ("site-1", "key-2")
