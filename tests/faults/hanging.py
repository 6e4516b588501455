"""A worker in which something hangs for ever: `python -m tests.faults.hanging journal`."""

import asyncio
import sys
import threading
from collections.abc import Callable
from typing import Any, Final

from agents.desk import Desk
from streams.__main__ import run
from streams.customerio.app_api import AppClient
from streams.customerio.track import TrackClient
from streams.delivery.ledger import Ledger
from streams.kafka.transactions import TransactionWriter

HANGS: Final = "hangs now"


def _say() -> None:
    print(HANGS, file=sys.stderr, flush=True)  # noqa: T201 - the test waits for it


def _block(*_: object) -> Any:  # noqa: ANN401 - stands for whatever does not return
    _say()
    threading.Event().wait()


async def _never(*_: object) -> Any:  # noqa: ANN401 - as above
    _say()
    await asyncio.Event().wait()


WHAT: Final[dict[str, tuple[type, str, Callable[..., Any]]]] = {
    "journal": (TransactionWriter, "write", _block),  # a library's thread
    "loop": (Ledger, "remember", _block),  # a step that never returns
    "request": (TrackClient, "batch", _never),  # in spite of its time-out
    "send": (AppClient, "send", _never),  # between the intent and the request
    "conclusion": (Desk, "conclude", _never),  # between the answer and what is written of it
}

if __name__ == "__main__":
    setattr(*WHAT[sys.argv[1]])
    sys.exit(run(["worker"]))
