"""`cio-streams dlq stats`: how many dead letters there are, of what kinds, and how old the oldest open one is."""

import json
from collections.abc import Mapping
from typing import Any

import typer

from streams.cli.dlq import options
from streams.cli.dlq.screen import console
from streams.clock import now_ms
from streams.plural import so_many
from streams.printable import printable
from streams.settings import load_settings

_DAY_S = 86_400
_HOUR_S = 3_600
_HOURS_SHOWN = 24


def stats(  # noqa: PLR0913 - one parameter per option of the command line
    *,
    topic: options.TopicOption = None,
    partition: options.PartitionOption = None,
    offset: options.OffsetOption = None,
    reason: options.ReasonOption = None,
    status: options.StatusOption = None,
    user: options.UserOption = None,
    since: options.SinceOption = None,
    until: options.UntilOption = None,
    state: options.StateOption = None,
    as_json: options.AsJson = False,
) -> None:
    """Count dead letters by reason, topic, status, hour and state."""
    settings = load_settings()
    filters = options.Filters(
        topic=topic,
        partition=partition,
        offset=offset,
        reason=reason,
        status=status,
        user=user,
        since=since,
        until=until,
        state=state,
    )
    selection = filters.selection(settings)
    from streams.cli.dlq.opened import opened  # noqa: PLC0415 - Kafka's client takes a while to import
    from streams.dead_letters.selected import selected  # noqa: PLC0415 - as above
    from streams.dead_letters.stats import counted  # noqa: PLC0415 - as above

    with opened(settings) as letters:
        told = counted(selected(letters, selection)).told(now_ms=now_ms())
    if as_json:
        typer.echo(json.dumps(told))
    else:
        _print(told)


def _print(told: Mapping[str, Any]) -> None:
    from rich.table import Table  # noqa: PLC0415 - takes a while to import

    out = console()
    out.print(f"{so_many(told['total'], 'dead letter')}, {told['open']:,} open{_oldest(told)}", soft_wrap=True)
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(justify="right")
    for what in ("reason", "topic", "status", "state"):
        _add(table, f"by {what}", told[f"by_{what}"])
    hours = list(told["by_hour"].items())
    _add(table, "by hour" if len(hours) <= _HOURS_SHOWN else "last hours", dict(hours[-_HOURS_SHOWN:]))
    _add(table, "repeated", {_repeated(each): each["at_least"] for each in told["repeated"]})
    out.print(table)


def _add(table: Any, heading: str, counts: Mapping[str, int]) -> None:  # noqa: ANN401 - rich's table, imported late
    for name, count in counts.items():
        table.add_row(heading, printable(name), str(count))
        heading = ""


def _repeated(each: Mapping[str, Any]) -> str:
    return f"as {each['letter']} ({each['topic']}, {each['reason']})"


def _oldest(told: Mapping[str, Any]) -> str:
    if told["oldest"] is None:
        return ""
    return f", the oldest since {told['oldest']} ({_age(told['oldest_age_s'])})"


def _age(seconds: int) -> str:
    for unit_s, unit in ((_DAY_S, "d"), (_HOUR_S, "h"), (60, "m")):
        if seconds >= unit_s:
            return f"{seconds // unit_s}{unit}"
    return f"{seconds}s"
