"""What the `dlq` commands have in common on a terminal: how they print, whether somebody can be asked, who that is."""

import getpass
import sys
from typing import Final

import typer
from rich.console import Console

WIDTH_PIPED: Final = 200


def console(*, stderr: bool = False) -> Console:
    """Give a console that prints texts as they are; what is piped is not broken into narrow lines."""
    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() else WIDTH_PIPED
    return Console(stderr=stderr, width=width, highlight=False, markup=False)


def insist_on_consent(*, yes: bool) -> None:
    """Refuse to begin where nobody could be asked.

    Raises:
        typer.BadParameter: nobody sits at a terminal, and `--yes` was not given.
    """
    if not yes and not sys.stdin.isatty():
        raise typer.BadParameter("this writes, and off a terminal nobody can be asked: --yes says so beforehand")


def ask(question: str, *, yes: bool) -> None:
    """Ask whether to go on.

    Raises:
        typer.Exit: somebody does not want to.
        KeyboardInterrupt: Ctrl-C, which ends a command in 130 here too.
    """
    if not yes and not _confirms(question):
        typer.echo("Nothing was written", err=True)
        raise typer.Exit(1)


def _confirms(question: str) -> bool:
    try:
        return typer.confirm(question, err=True)
    except typer.Abort as aborted:
        if isinstance(aborted.__context__, KeyboardInterrupt):  # else the input has ended
            typer.echo(err=True)
            raise KeyboardInterrupt from aborted
        raise


def login_name() -> str:
    """Who runs this command."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a container's user may have a number only
        return "unknown"
