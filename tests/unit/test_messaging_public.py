"""The public surface of `streams.messaging`: what applications may rely on, and that it is typed."""

import inspect
import subprocess
import sys
from pathlib import Path

import agents
import schemas
from streams import messaging

PUBLIC = [
    "Account",
    "AmbiguousSendError",
    "BlockingQueuedMessaging",
    "BusyError",
    "ConfigError",
    "InvalidInputError",
    "MessagingService",
    "OperationDone",
    "QueuedMessaging",
    "Rates",
    "RejectedError",
    "Settings",
    "StreamsError",
    "UnauthorisedError",
    "UnavailableError",
    "User",
    "UserFields",
    "UserLike",
    "UserMessagingRepository",
    "UserVerbs",
    "Written",
    "load_settings",
]


def test_the_public_names_are_these() -> None:
    """One more is a promise, one less breaks an application; nothing else is there but the package's files."""
    there = {name for name, each in vars(messaging).items() if not name.startswith("_") and not inspect.ismodule(each)}

    assert messaging.__all__ == PUBLIC
    assert there == set(PUBLIC)


def test_every_public_name_says_what_it_is() -> None:
    """And so does every verb."""
    named = [getattr(messaging, name) for name in PUBLIC]
    verbs = [each for one in named for name, each in vars(one).items() if inspect.isfunction(each) and name[0] != "_"]

    assert [each for each in (*named, *verbs) if not inspect.getdoc(each)] == []


def test_types_are_shipped() -> None:
    """So that an application's type checker reads them."""
    roots = [Path(inspect.getfile(package)).parent for package in (schemas, agents)]
    roots.append(Path(inspect.getfile(messaging)).parents[1])

    assert [root.name for root in roots if not (root / "py.typed").is_file()] == []


def test_an_application_does_not_load_the_worker() -> None:
    """Nor Faust, which takes a second, changes logging, and is of no use there."""
    code = (
        "import sys, streams.messaging; print(sorted({'faust', 'aiokafka', 'uvicorn', 'typer'} & sys.modules.keys()))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout == "[]\n"
