"""`cio-streams dlq list`: the newest dead letters, as a table in which repeats are one row, or as JSON lines."""

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from agents.steps.report import iso_utc
from streams.cli.dlq import options
from streams.cli.dlq.screen import console
from streams.clock import now_ms
from streams.dead_letters.masking import shown_id, shown_message
from streams.plural import so_many
from streams.settings import load_settings

if TYPE_CHECKING:
    from streams.dead_letters.rows import Fold, Newest

LINES_SHOWN: Final = 10_000
ROWS_SHOWN: Final = 50
LIMIT_MAX: Final = 1_000_000

Limit = Annotated[
    int | None,
    typer.Option(
        help=f"At most so many: {LINES_SHOWN} as JSON, else {ROWS_SHOWN} rows.",
        show_default=False,
        min=1,
        max=LIMIT_MAX,
    ),
]


def list_letters(  # noqa: PLR0913 - one parameter per option of the command line
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
    limit: Limit = None,
    reveal: options.Reveal = False,
    as_json: options.AsJson = False,
) -> None:
    """List dead letters, the newest first; in the table, what repeats is one row."""
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
    from streams.dead_letters.rows import folded, newest  # noqa: PLC0415 - as above
    from streams.dead_letters.selected import selected  # noqa: PLC0415 - as above

    window = limit or LINES_SHOWN if as_json else max(limit or 0, LINES_SHOWN)
    with opened(settings) as letters:
        found = newest(selected(letters, selection), window)
    folds = folded(found.rows())
    if as_json:
        _print_lines(found, folds, reveal=reveal)
    else:
        _print_table(found, folds, limit or ROWS_SHOWN, reveal=reveal)


def _print_lines(found: "Newest", folds: Sequence["Fold"], *, reveal: bool) -> None:
    repeats = {name: fold.times for fold in folds for name in fold.names}
    rows = found.rows()
    for row in rows:
        told: dict[str, Any] = {
            "letter": str(row.name),
            **row.origin._asdict(),
            "reason": row.reason,
            "status": row.status,
            "attempts": row.attempts,
            "failed_at": row.failed_at,
            "user_id": row.user_id if reveal or row.user_id is None else shown_id(row.user_id),
            "replays": row.replays,
            "state": row.state,
            "message": row.message if reveal else shown_message(row.message),
            "repeats": repeats[row.name],
        }
        print(json.dumps(told))  # noqa: T201 - data, ten thousand lines of it perhaps
    if found.count > len(rows):
        typer.echo(_not_listed(found.count - len(rows)), err=True)


def _print_table(found: "Newest", folds: Sequence["Fold"], limit: int, *, reveal: bool) -> None:
    if not folds:
        typer.echo("No dead letters", err=True)
        return
    from streams.cli.dlq.listed import listed  # noqa: PLC0415 - rich takes a while to import

    out = console()
    out.print(listed(folds[:limit], width=out.width, now=iso_utc(now_ms()), reveal=reveal))
    shown = sum(fold.times for fold in folds[:limit])
    if found.count > shown:
        typer.echo(_not_listed(found.count - shown), err=True)


def _not_listed(count: int) -> str:
    return f"{so_many(count, 'older one is', 'older ones are')} not listed: --limit lists more"
