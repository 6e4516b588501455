"""A worker in whose sender something unforeseen happens, and says what it was given. Run as a module."""

import sys
from collections.abc import Sequence

from schemas.delivery import Parcel, Verdict
from streams.__main__ import run
from streams.customerio.sender import TrackSender
from streams.tracebacks import hide_what_is_uncaught


async def fail(_: TrackSender, parcels: Sequence[Parcel]) -> list[Verdict]:
    """Raise what quotes all of it, while another is handled that does too."""
    try:
        raise KeyError(parcels)  # noqa: TRY301 - as it happens to somebody
    except KeyError:
        raise ValueError(*parcels)  # noqa: B904 - the one before is to be told as well


if __name__ == "__main__":
    hide_what_is_uncaught()
    setattr(TrackSender, "send_batch", fail)  # noqa: B010 - a fault of ours, put where a client's would be
    sys.exit(run(["worker"]))
