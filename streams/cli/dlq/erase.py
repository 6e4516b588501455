"""`cio-streams dlq erase --user ID`: erase a person from letters, replays and ledger; say who else holds them."""

import json
import signal
from typing import TYPE_CHECKING, Annotated, Any

import typer

from streams.cli.dlq.options import AsJson, Yes
from streams.cli.dlq.screen import ask, console, insist_on_consent
from streams.plural import so_many
from streams.settings import Settings, load_settings

if TYPE_CHECKING:
    from streams.dead_letters.erasure.elsewhere import Left
    from streams.dead_letters.erasure.erase import Erasure
    from streams.dead_letters.erasure.search import Holdings

WAIT_S = 300
NAMES_SHOWN = 20

User = Annotated[str, typer.Option("--user", help="User id, or anonymous id.", show_default=False)]
Mentions = Annotated[bool, typer.Option("--mentions", help="Erase also letters of others that hold the id.")]
WhatIf = Annotated[bool, typer.Option("--what-if", help="Only count; write nothing.")]
Wait = Annotated[int, typer.Option("--wait", help="Seconds to wait for workers, and for Kafka to compact.", min=1)]


def erase(
    *,
    user: User,
    mentions: Mentions = False,
    what_if: WhatIf = False,
    yes: Yes = False,
    as_json: AsJson = False,
    wait: Wait = WAIT_S,
) -> None:
    """Erase a person from dead letters, replays and ledger; say which other topics hold them, and until when."""
    if not user or not _is_text(user):
        raise typer.BadParameter("expected a person's id", param_hint="--user")
    insist_on_consent(yes=yes or what_if)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that topics get their settings back
    from streams import logs  # noqa: PLC0415 - what is heavy is imported when it is needed
    from streams.dead_letters.erasure.erase import Erasure  # noqa: PLC0415 - as above
    from streams.dead_letters.erasure.rule import Person  # noqa: PLC0415 - as above

    settings = load_settings()
    logs.configure(settings.with_changes(log_level="critical"))  # what matters comes as an error
    with Erasure(settings, Person(user, with_mentions=mentions), say=_remark, wait_s=wait) as erasure:
        erasure.require_rights(writing=not what_if)
        found = erasure.search()
        _tell(settings, found, mentions=mentions)
        kept = None if what_if else _erase(erasure, found, yes=yes)
        left = erasure.elsewhere()
    report = _report(settings, found, left, kept)
    if as_json:
        typer.echo(json.dumps(report))
    else:
        _print(report)


def _erase(erasure: "Erasure", found: "Holdings", *, yes: bool) -> int:
    ask("Erase this for ever?", yes=yes or found.is_empty)
    try:
        erasure.mend()
        return 0 if found.is_empty else erasure.run(found)
    except KeyboardInterrupt:
        _remark("Interrupted: the person is not erased everywhere yet; run it again, it goes on where it is")
        raise


def _is_text(user: str) -> bool:
    """Arguments that are no UTF-8 come as lone surrogates."""
    try:
        user.encode()
    except UnicodeEncodeError:
        return False
    return True


def _remark(text: str) -> None:
    typer.echo(text, err=True)


def _tell(settings: Settings, found: "Holdings", *, mentions: bool) -> None:
    """Say what is there before anything is asked."""
    shown = [f"{found.count(name)} on {settings.topic(name)}" for name in found.records]
    _remark(f"Records of this person: {', '.join(shown) or 'none'}")
    if found.is_deleted is False:
        _remark(
            "By the ledger this person is not deleted at Customer.io: publish a user.deleted first, and erase once it"
            " is delivered"
        )
    elif found.is_deleted is None:
        _remark("The ledger does not know this person, nor whether they are deleted at Customer.io")
    if found.likely:
        several = "letters name nobody and hold the id, so they go too"
        them = so_many(found.likely, "letter names nobody and holds the id, so it goes too", several)
        _remark(f"{them}: {_names(found.named['likely'])}")
    if found.mentions:
        goes, go = ("goes too", "go too") if mentions else ("stays, unless --mentions", "stay, unless --mentions")
        them = so_many(
            found.mentions, f"letter of others holds the id and {goes}", f"letters of others hold the id and {go}"
        )
        _remark(f"{them}: {_names(found.named['mentions'])}")


def _names(names: list[str]) -> str:
    return ", ".join(names[:NAMES_SHOWN]) + (" and more" if len(names) > NAMES_SHOWN else "")


def _report(settings: Settings, found: "Holdings", left: "list[Left]", kept: int | None) -> dict[str, Any]:
    from agents.steps.report import iso_utc  # noqa: PLC0415 - as below

    return {
        "what_if": kept is None,
        "erased": {settings.topic(name): found.count(name) for name in found.records},
        "written_anew": kept or 0,
        "likely": found.named["likely"],
        "mentions": found.named["mentions"],
        "is_deleted_at_customerio": found.is_deleted,
        "elsewhere": [
            {
                "topic": each.topic,
                "records": each.records,
                "until": None if each.until_ms is None else iso_utc(each.until_ms),
            }
            for each in left
        ],
    }


def _print(report: dict[str, Any]) -> None:
    from rich.table import Table  # noqa: PLC0415 - only for people

    table = Table("topic", "records", "what becomes of them")
    for topic, count in report["erased"].items():
        table.add_row(topic, str(count), "would be erased" if report["what_if"] else "erased")
    for each in report["elsewhere"]:
        table.add_row(each["topic"], str(each["records"]), f"kept until {each['until'] or 'somebody deletes them'}")
    if table.row_count:
        console().print(table)
    else:
        typer.echo("no topic holds this person")
