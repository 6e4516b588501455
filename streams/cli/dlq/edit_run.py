"""One run of `dlq edit`: takes a letter's value out, judges what came of it, and puts it back as a replay."""

import json
import os
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any, BinaryIO, Final

import click
import typer

from agents.steps.report import iso_utc
from schemas.dead_letter import LetterName
from schemas.decision import Decision, replays_after
from schemas.errors import StreamsError
from streams.cli.dlq.opened import opened
from streams.cli.dlq.screen import ask
from streams.cli.dlq.what_if import masked_verdict
from streams.clock import now_ms
from streams.dead_letters.choice import Rules
from streams.dead_letters.copies import Edit, ReplayCopy, Terms, copy_of
from streams.dead_letters.decisions import DecisionWriter
from streams.dead_letters.edits import compact, difference, fault_of, pretty
from streams.dead_letters.letter import Letter
from streams.dead_letters.letters import Letters
from streams.dead_letters.look_up import UnknownLetterError, unknown
from streams.dead_letters.rehearsal import Rehearsal, Rehearsed, record_of
from streams.dead_letters.replay import outgoing
from streams.settings import Settings

__all__ = ["EditRun", "Rules", "Terms", "editing"]

VALUE_BYTES_MAX: Final = 16_777_216
_STDOUT: Final = Path("-")
_OWNER_ONLY: Final = 0o600

_REFUSALS: Final = {
    "replayed": "was replayed already: --again does it once more",
    "discarded": "was discarded: --again replays it all the same",
    "uncertain": "may have gone out already: --even-if-sent sends it once more",
    "parked": "was replayed too often and is parked: --force replays it all the same",
}


@contextmanager
def editing(settings: Settings, name: LetterName, rules: Rules, terms: Terms, *, as_json: bool) -> "Iterator[EditRun]":
    """Find the letter and give what can be done with it.

    Raises:
        StreamsError: there is no such letter, or Kafka does not answer.
    """
    with opened(settings) as letters:
        found = letters.find(name)
        if found is None:
            raise UnknownLetterError(unknown([name]))
        yield EditRun(settings, letters, found, rules, terms, as_json=as_json)


class EditRun:
    """A letter, under `rules` and on `terms`."""

    def __init__(
        self, settings: Settings, letters: Letters, found: Letter, rules: Rules, terms: Terms, *, as_json: bool
    ) -> None:
        self._settings = settings
        self._letters = letters
        self._found = found
        self._letter = found.letter
        self._rules = rules
        self._terms = terms
        self._as_json = as_json

    def take_out(self, path: Path) -> None:
        """Write the value to a file that only we may read; it is personal data."""
        value = pretty(self._letter.value)
        if path == _STDOUT:
            sys.stdout.buffer.write(value)
            return
        try:
            with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT, _OWNER_ONLY), "wb") as file:
                if stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                    os.fchmod(file.fileno(), _OWNER_ONLY)  # it may have been there, open to all
                    file.truncate()
                file.write(value)
        except OSError as error:
            raise StreamsError(f"{path} cannot be written: {error.strerror}") from error
        self._tell(f"{path} holds the value of letter {self._letter.name}", file=str(path), bytes=len(value))

    def check(self, source: BinaryIO) -> None:
        """Say whether a worker would send what is in this file.

        Raises:
            StreamsError: it would not.
        """
        fault = self._fault(self._copy(_read(source), by=""))
        if fault is None or self._as_json:
            self._tell("A worker would take it", valid=fault is None, fault=fault)
        if fault is not None:
            raise StreamsError(f"A worker would not take it: {fault}")

    def put_back(self, source: BinaryIO | None, *, by: str, yes: bool) -> None:
        """Replay the letter with what is in this file, or what an editor makes of it.

        Raises:
            StreamsError: its state does not allow it, a worker would not take it, somebody else was faster.
        """
        left_as = self._rules.leaves(self._found)
        if left_as is not None:
            raise StreamsError(f"Letter {self._letter.name} {_REFUSALS[left_as]}")
        value = self._from_editor() if source is None else _read(source)
        copy = self._copy(value, by=by)
        if copy.value == compact(self._letter.value):
            self._tell("Nothing was changed, so nothing is written", changed=False)
            return
        if fault := self._fault(copy):
            raise StreamsError(f"Nothing was written: a worker would not take it: {fault}")
        with Rehearsal(self._settings) as rehearsal:
            shown = masked_verdict(next(rehearsal.rehearse_copies([copy])))
        ask(f"Letter {self._letter.name} {shown}. Put it back?", yes=yes)
        self._write(copy, by=by)
        self._tell_written(shown)

    def _from_editor(self) -> bytes:
        value = pretty(self._letter.value)
        while True:
            value = _edited(value)
            fault = None if compact(value) == compact(self._letter.value) else self._fault(self._copy(value, by=""))
            if fault is None:
                return value
            typer.echo(f"A worker would not take it: {fault}", err=True)
            if not (sys.stdin.isatty() and typer.confirm("Edit it again?", default=True, err=True)):
                raise StreamsError(f"Nothing was written; what you made of it is in {_kept(value)}, for --in")

    def _copy(self, value: bytes, *, by: str) -> ReplayCopy:
        at = iso_utc(now_ms())
        edit = Edit(value=compact(value), by=by, at=at, diff=difference(self._letter.value, value))
        return copy_of(self._letter, self._terms, edit)

    def _fault(self, copy: ReplayCopy) -> str | None:
        return fault_of(record_of(copy, self._settings))

    def _write(self, copy: ReplayCopy, *, by: str) -> None:
        name = self._letter.name
        with DecisionWriter(self._settings, self._letters, name.partition) as writer:
            found = self._letters.find(name)  # again, for the person may have been erased meanwhile
            if found is None:
                raise StreamsError(f"Letter {name} is not there any more; nothing was written")
            if found.decision != self._found.decision:
                raise StreamsError(f"Somebody has decided on letter {name} meanwhile; nothing was written")
            at = iso_utc(now_ms())
            replays = replays_after(self._found.decision)
            decision = Decision(decision="edited", at=at, by=by, note=self._terms.note, replays=replays)
            writer.commit({name: decision}, [outgoing(copy, self._settings)])

    def _tell_written(self, rehearsed: Rehearsed) -> None:
        verdict = {"verdict": rehearsed.verdict, "reason": rehearsed.reason, "detail": rehearsed.detail}
        self._tell(f"Letter {self._letter.name} was put back, edited: it {rehearsed}", changed=True, **verdict)

    def _tell(self, text: str, **told: Any) -> None:  # noqa: ANN401 - what JSON holds
        typer.echo(json.dumps({"letter": str(self._letter.name), **told}) if self._as_json else text)


def _edited(value: bytes) -> bytes:
    """What the person's editor makes of it."""
    try:
        found = click.edit(value, extension=".json", require_save=True)
    except click.ClickException as error:
        raise StreamsError(f"The editor does not work: {error.format_message()}") from error
    return value if found is None else found


def _kept(value: bytes) -> str:
    """Keep it in a file that only we may read; its name."""
    with NamedTemporaryFile(prefix="cio-letter-", suffix=".json", delete=False) as file:
        file.write(value)
    return file.name


def _read(source: BinaryIO) -> bytes:
    value = source.read(VALUE_BYTES_MAX + 1)
    if len(value) > VALUE_BYTES_MAX:
        raise StreamsError(f"Over {VALUE_BYTES_MAX} bytes: Kafka would not take it")
    return value
