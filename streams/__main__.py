"""`cio-streams` and `python -m streams`: runs a command, turns how it ended into an exit code, no more."""

import sys
from collections.abc import Sequence

from schemas.errors import StreamsError
from streams.cli import app
from streams.settings import SettingsError

FAILED = 1
WRONG_SETTINGS = 2


def main() -> None:
    """Run the command line of this process."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: Sequence[str]) -> int:
    """Run one command and give its exit code: 0 done, 1 something failed, 2 wrong usage or bad settings."""
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


if __name__ == "__main__":
    main()
