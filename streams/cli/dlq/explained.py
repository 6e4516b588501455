"""Lays out a letter's explanation for a person: a section for each question, the field at fault marked."""

from collections.abc import Iterator
from typing import Final

from rich.cells import cell_len
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from schemas.decision import Decision
from streams.dead_letters.edited import Edited
from streams.dead_letters.explanation import IN_WORDS, Content, Explanation
from streams.dead_letters.printed_json import lines
from streams.plural import so_many
from streams.printable import printable

LINES_SHOWN: Final = 200
COLUMNS_SHOWN: Final = 120
MARK: Final = "> "
INDENT: Final = 2
FAULT: Final = "bold red"
_HEX_LINE: Final = 64


def page(explanation: Explanation, on_replay: str | None = None, *, width: int) -> RenderableType:
    """Lay it out in so many columns; `on_replay` is the rehearsal's sentence on the letter, where it was rehearsed."""
    room = width - INDENT - len(MARK)
    sections: list[RenderableType] = [_title(explanation)]
    for heading, body in (
        ("what it was", _what_it_was(explanation, room)),
        ("what was sent", _what_was_sent(explanation)),
        ("what came back", _what_came_back(explanation)),
        ("what was decided", map(_decided, explanation.history)),
        ("what was edited", (line for edited in explanation.edits for line in _edited(edited))),
        ("what will happen on replay", iter([] if on_replay is None else [Text(printable(on_replay))])),
    ):
        told = list(body)
        if told:
            sections += [
                Text(heading, style="bold"),
                *(Padding(each, (0, 0, 0, INDENT), expand=False) for each in told),
            ]
    return Group(*sections, Text())


def _title(explanation: Explanation) -> Text:
    found = explanation.found
    replays = f", {so_many(found.letter.replays, 'replay')}" if found.letter.replays else ""
    return Text(f"letter {found.letter.name}: {found.letter.reason}, {found.state}{replays}", style="bold reverse")


def _what_it_was(explanation: Explanation, room: int) -> Iterator[Text]:
    letter = explanation.found.letter
    yield Text(f"record    {printable(str(letter.origin))}")
    yield Text(f"first on  {explanation.first_seen or 'a time that Kafka does not tell'}")
    yield Text(f"user      {printable(explanation.user_id or '-')}")
    key = f"key       {_in_line(explanation.key)}"
    yield from _marked(key, explanation, room) if explanation.is_key_at_fault else [Text(printable(key))]
    for name, value in explanation.headers:
        yield Text(f"header    {printable(name)}: {'no value' if value is None else printable(value)}")
    if explanation.value.form == "json":
        yield from _shortened(list(_value(explanation, room)))
    elif explanation.value.form == "text":
        yield from _shortened(list(_text(explanation, room)))
    else:
        yield Text(f"value     {_in_line(explanation.value)}")


def _value(explanation: Explanation, room: int) -> Iterator[tuple[Text, bool]]:
    for line in lines(explanation.value.tree):
        if line.position is not None and line.position == explanation.field:
            yield from ((text, True) for text in _marked(line.text, explanation, room))
        else:
            yield _unmarked(line.text), False


def _text(explanation: Explanation, room: int) -> Iterator[tuple[Text, bool]]:
    """The lines of a text that is no JSON, none so long that it is broken, and a mark under the character at fault."""
    fault_at, begin = explanation.value.fault_at, 0
    for line in (explanation.value.text or "").split("\n"):
        column = None if fault_at is None or not begin <= fault_at <= begin + len(line) else fault_at - begin
        cut, mark_at = _around(line, column or 0, min(room, COLUMNS_SHOWN))
        if column is None:
            yield _unmarked(cut), False
        else:
            said, *below = _marked(cut, explanation, room)
            mark = Text(f"{' ' * (len(MARK) + mark_at)}^", style=FAULT)
            yield from ((text, True) for text in (said, mark, *below))
        begin += len(line) + 1


def _around(line: str, at: int, room: int) -> tuple[str, int]:
    """Of a line what has room around a character, and in which column of the terminal that one stands."""
    if len(line) <= room and cell_len(printable(line)) <= room:
        return printable(line), cell_len(printable(line[:at]))
    before, after = (printable(part) for part in (line[max(0, at - room) : at], line[at : at + room]))
    while cell_len(before) > room // 2:
        before = before[1:]
    dots = "…" * (len(before) < at)
    while cell_len(dots + before + after) >= room:
        after = after[:-1]
    return f"{dots}{before}{after}{'…' * (at + len(after) < len(line))}", cell_len(dots + before)


def _shortened(printed: list[tuple[Text, bool]]) -> Iterator[Text]:
    """The first lines, and those around the one at fault."""
    at_fault = next((at for at, (_, is_at_fault) in enumerate(printed) if is_at_fault), 0)
    start = 0 if at_fault < LINES_SHOWN else at_fault - LINES_SHOWN // 2
    if start:
        yield Text(f"… {so_many(start, 'line')} before, which --json shows", style="dim")
    yield from (text for text, _ in printed[start : start + LINES_SHOWN])
    left = len(printed) - start - LINES_SHOWN
    if left > 0:
        yield Text(f"… {so_many(left, 'more line')}, which --json shows", style="dim")


def _unmarked(text: str) -> Text:
    return Text(f"{' ' * len(MARK)}{printable(text)}")


def _marked(text: str, explanation: Explanation, room: int) -> list[Text]:
    """What is at fault, and why: beside it where both have room, else below."""
    shown, why = printable(text), f"<- {printable(explanation.message)}"
    if cell_len(f"{shown}   {why}") <= room:
        return [Text(f"{MARK}{shown}   {why}", style=FAULT)]
    return [Text(f"{MARK}{shown}", style=FAULT), Text(f"{' ' * len(MARK)}{why}", style=FAULT)]


def _what_was_sent(explanation: Explanation) -> Iterator[Text]:
    for operation in explanation.operations:
        yield from _shortened([(Text(printable(line.text)), False) for line in lines(operation)])


def _what_came_back(explanation: Explanation) -> Iterator[Text]:
    letter = explanation.found.letter
    yield Text(f"{letter.reason}: {IN_WORDS[letter.reason]}")
    yield Text(printable(explanation.message))
    status = "no answer" if letter.status is None else f"HTTP {letter.status}"
    if letter.attempts:
        yield Text(f"{status} after {so_many(letter.attempts, 'attempt')}")
    yield Text(f"set aside at {printable(letter.failed_at or 'an unknown time')}")


def _decided(decision: Decision) -> Text:
    note = f": {decision.note}" if decision.note else ""
    return Text(printable(f"{decision.decision} at {decision.at} by {decision.by}{note}"))


def _edited(edited: Edited) -> Iterator[Text]:
    note = f": {edited.note}" if edited.note else ""
    yield Text(printable(f"as {edited.replay} at {edited.at} by {edited.by}{note}"))
    yield from _shortened([(_unmarked(line), False) for line in edited.diff.split("\n")])


def _in_line(content: Content) -> str:
    if content.form == "null":
        return "null"
    if content.form == "text":
        return content.text or '""'
    if content.text is None:
        return f"{so_many(content.size, 'byte that is', 'bytes that are')} no text, shown by --reveal"
    dump = " ".join(content.text[at : at + _HEX_LINE] for at in range(0, len(content.text), _HEX_LINE))
    return f"{so_many(content.size, 'byte')}: {dump}"
