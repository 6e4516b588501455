"""The options by which the `dlq` commands are told which letters they are about, and what they make of them."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from schemas.dead_letter import LetterName
from schemas.decision import LetterState
from schemas.outcome import DeadReason
from streams.cli.input_topics import short_name
from streams.cli.when import point_in_time_ms
from streams.clock import now_ms
from streams.settings import Settings

if TYPE_CHECKING:
    from streams.dead_letters.selection import Selection

TEXT_BYTES_MAX: Final = 1_000
_WHICH: Final = "Which letters (all that is given must hold)"


def which(text: str, *names: str, **more: Any) -> Any:  # noqa: ANN401 - typer's own
    """An option that narrows the letters."""
    return typer.Option(*names, help=text, rich_help_panel=_WHICH, **more)


def short_text(text: str | None) -> str | None:
    """Check what goes with a record: it is given room for so much.

    Raises:
        typer.BadParameter: it is too long, or no UTF-8.
    """
    try:
        size = len((text or "").encode())
    except UnicodeEncodeError:
        raise typer.BadParameter("is not UTF-8") from None
    if size > TEXT_BYTES_MAX:
        raise typer.BadParameter(f"over {TEXT_BYTES_MAX} bytes")
    return text


def finite(number: float | None) -> float | None:
    """Check a number: `inf` and `nan` are some too, as far as a range goes.

    Raises:
        typer.BadParameter: it is no number to reckon with.
    """
    if number is not None and not math.isfinite(number):
        raise typer.BadParameter("expected a finite number")
    return number


LettersArgument = Annotated[list[str] | None, typer.Argument(metavar="LETTER", help="As PARTITION/OFFSET: 3/17.")]
LetterArgument = Annotated[str, typer.Argument(metavar="LETTER", help="As PARTITION/OFFSET: 3/17.")]
TopicOption = Annotated[str | None, which("Input topic that the record was on.", "--topic")]
PartitionOption = Annotated[int | None, which("Partition that the record was on.", "--partition", min=0)]
OffsetOption = Annotated[int | None, which("Offset that the record was at.", "--offset", min=0)]
ReasonOption = Annotated[DeadReason | None, which("Why it is dead.", "--reason")]
StatusOption = Annotated[int | None, which("HTTP status of the last answer.", "--status")]
UserOption = Annotated[str | None, which("User id, or anonymous id.", "--user")]
SinceOption = Annotated[str | None, which("Failed since then: an age (90s, 2h, 7d) or a time.", "--since")]
UntilOption = Annotated[str | None, which("Failed before then.", "--until")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
Again = Annotated[bool, typer.Option("--again", help="Also what was replayed or discarded.")]
Force = Annotated[bool, typer.Option("--force", help="Also what is parked: replayed MAX_REPLAYS times before.")]
EvenIfOlder = Annotated[bool, typer.Option("--even-if-older", help="Deliver it although newer data was delivered.")]
EvenIfSent = Annotated[bool, typer.Option("--even-if-sent", help="Send what may have gone out already once more.")]
Note = Annotated[str | None, typer.Option("--reason-note", help="Why, for whoever looks later.", callback=short_text)]
By = Annotated[str | None, typer.Option("--by", help="Who does it, if not who is logged in.", callback=short_text)]
Reveal = Annotated[bool, typer.Option("--reveal", help="Show personal data, which is masked otherwise.")]
StateOption = Annotated[LetterState | None, which("What became of it.", "--state")]


@dataclass(frozen=True, slots=True)
class Filters:
    """The options as given."""

    topic: str | None = None
    partition: int | None = None
    offset: int | None = None
    reason: DeadReason | None = None
    status: int | None = None
    user: str | None = None
    since: str | None = None
    until: str | None = None
    state: LetterState | None = None

    def selection(self, settings: Settings, letters: Sequence[str] | None = None) -> "Selection":
        """What they select among the letters of these settings.

        Raises:
            typer.BadParameter: one of them is malformed, or names go with filters: what fits no filter is no lost name.
        """
        if letters and self != Filters():
            raise typer.BadParameter("name letters, or give filters: not both")
        from streams.dead_letters.selection import Selection  # noqa: PLC0415 - Kafka's client takes a while to import

        return Selection(
            names=tuple(letter_name(text) for text in letters or ()),
            topic=None if self.topic is None else settings.topic(short_name(self.topic, settings)),
            partition=self.partition,
            offset=self.offset,
            reason=self.reason,
            status=self.status,
            user=self.user,
            since_ms=time_ms(self.since, "--since"),
            states=() if self.state is None else (self.state,),
            until_ms=time_ms(self.until, "--until"),
        )


def time_ms(text: str | None, option: str) -> int | None:
    """Read the time that an option says, in unix milliseconds.

    Raises:
        typer.BadParameter: it is none.
    """
    return None if text is None else point_in_time_ms(text, now_ms=now_ms(), option=option)


def insist_on_choice(selection: "Selection", *, everything: bool) -> None:
    """Refuse to guess which letters are meant.

    Raises:
        typer.BadParameter: nothing narrows them, and `--all` was not given; or names and `--all` were.
    """
    if selection.is_everything and not everything:
        raise typer.BadParameter("say which letters: their names, a filter, or --all")
    if selection.names and everything:
        raise typer.BadParameter("name letters, or give --all: not both")


def letter_name(text: str) -> LetterName:
    """Read the name of a letter.

    Raises:
        typer.BadParameter: it is none.
    """
    try:
        return LetterName.parse(text)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
