"""`cio-streams` and `python -m streams`: runs a command, turns how it ended into an exit code, no more."""

import contextlib
import errno
import os
import sys
from collections.abc import Sequence

from schemas.errors import StreamsError
from streams.cli import app
from streams.settings import SettingsError
from streams.tracebacks import hide_what_is_uncaught

FAILED = 1
WRONG_SETTINGS = 2
UNPRINTED = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO})
"""What becomes of output that goes to a full disk, or to one that fails."""


def main() -> None:
    """Run the command line of this process."""
    hide_what_is_uncaught()
    sys.exit(run(sys.argv[1:]))


def run(arguments: Sequence[str]) -> int:
    """Run one command and give its exit code: 0 done, 1 something failed, 2 wrong usage or bad settings."""
    try:
        code = _run(arguments)
        sys.stdout.flush()  # else what is left of it fails when nobody can tell any more
    except BrokenPipeError:  # whoever read it has left, as `head` does
        _print_no_more()
        return FAILED
    except OSError as error:
        if error.errno not in UNPRINTED or error.filename is not None:
            raise
        _print_no_more()
        print("The output cannot be written:", error.strerror, file=sys.stderr)  # noqa: T201 - one line
        return FAILED
    return code


def _run(arguments: Sequence[str]) -> int:
    try:
        app(list(arguments), prog_name="cio-streams")
    except SystemExit as ended:  # how typer says that a command is through, wrong usage included
        return ended.code if isinstance(ended.code, int) else int(bool(ended.code))
    except SettingsError as error:
        print("Wrong settings:", error, sep="\n", file=sys.stderr)  # noqa: T201 - one line for each fault
        return WRONG_SETTINGS
    except StreamsError as error:
        print(" ".join(str(error).split()), file=sys.stderr)  # noqa: T201 - one line, also where a library sent several
        return FAILED
    return 0


def _print_no_more() -> None:
    """What is still to be printed goes nowhere: Python tries once more at its end, and would complain."""
    with contextlib.suppress(OSError, ValueError):  # nothing that is a file
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


if __name__ == "__main__":
    main()
