"""`python -m tests.bench`: measures part by part, shows each part's figures at once, and all of them at the end."""

import argparse
import json
import os
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from types import FrameType
from typing import Final

import psutil

from schemas.errors import StreamsError
from tests.bench import audit, baseline, full_load, ledger, queued, scale, sends, trickle, webhooks
from tests.bench.broker import Broker, running_broker
from tests.bench.errors import BenchError
from tests.bench.report import Figure, Report, summary

RECORDS: Final = 200_000
RECORDS_MIN: Final = 1_000
INTERRUPTED: Final = 130

PARTS: Final[Mapping[str, Callable[[Broker, int], Report]]] = {
    "full": full_load.measure,
    "baseline": baseline.measure,
    "ledger": ledger.measure,
    "trickle": trickle.measure,
    "scale": scale.measure,
    "audit": audit.measure,
    "sends": sends.measure,
    "queued": queued.measure,
    "webhooks": webhooks.measure,
}


def main() -> int:
    """Run the parts that are asked for; whatever happens, nothing that was started is left."""
    given = _parser().parse_args()
    if given.records < RECORDS_MIN:
        _parser().error(f"--records must be at least {RECORDS_MIN}")
    for signum in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(signum, _interrupt)
    try:
        reports = _measure(given.only or list(PARTS), given.records)
    except KeyboardInterrupt:
        say("interrupted; everything is ended")
        return INTERRUPTED
    except (BenchError, StreamsError) as error:
        say(str(error))
        return 1
    if given.json:
        sys.stdout.write(json.dumps({"machine": _machine(), "parts": [report.data() for report in reports]}) + "\n")
    else:
        sys.stdout.write(f"\n{summary(_machine(), reports)}\n")
    return 0


def say(text: str) -> None:
    """Tell what is going on; standard output holds only the outcome."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def _measure(parts: Sequence[str], records: int) -> list[Report]:
    reports: dict[str, Report] = {}
    with running_broker(say) as broker:
        for part in (part for part in PARTS if part in parts):
            say(f"\nmeasuring {part} …")
            load = Figure(name="load average of the machine before", value=os.getloadavg()[0], digits=1)
            report = PARTS[part](broker, records)
            report = replace(report, figures=(*report.figures, load))
            if part == "baseline" and "full" in reports:
                report = baseline.compared(report, reports["full"])
            reports[part] = report
            say(report.text())
    return list(reports.values())


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--only", action="append", choices=list(PARTS), help="this part (may be given several times)")
    parser.add_argument(
        "--records", type=int, default=RECORDS, help=f"of the full load, the others in proportion (default {RECORDS})"
    )
    parser.add_argument("--json", action="store_true", help="print the outcome as one JSON object")
    return parser


def _machine() -> str:
    """What the figures depend on most, and cannot be repeated without."""
    memory_gb = psutil.virtual_memory().total / 1e9
    python = sys.version.split()[0]
    return f"{os.cpu_count()} cores, {memory_gb:.0f} GB, Python {python}"


def _interrupt(_signum: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
