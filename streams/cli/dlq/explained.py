"""Lays out a letter's explanation for a person: a section for each question, the field at fault marked."""

from collections.abc import Iterator
from typing import Final

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from schemas.decision import Decision
from streams.cli.dlq.screen import replays_text
from streams.dead_letters.explanation import IN_WORDS, Content, Explanation
from streams.dead_letters.printed_json import lines
from streams.printable import printable

LINES_SHOWN: Final = 200
COLUMNS_SHOWN: Final = 120
MARK: Final = "> "
_HEX_LINE: Final = 64


def page(explanation: Explanation, on_replay: str | None = None) -> RenderableType:
    """Lay it out; `on_replay` is the rehearsal's sentence on the letter, where somebody has rehearsed it."""
    sections: list[RenderableType] = [_title(explanation)]
    for heading, body in (
        ("what it was", _what_it_was(explanation)),
        ("what was sent", _what_was_sent(explanation)),
        ("what came back", _what_came_back(explanation)),
        ("what was decided", map(_decided, explanation.history)),
        ("what will happen on replay", iter([] if on_replay is None else [Text(printable(on_replay))])),
    ):
        told = list(body)
        if told:
            sections += [Text(heading, style="bold"), *(Padding(each, (0, 0, 0, 2), expand=False) for each in told)]
    return Group(*sections, Text())


def _title(explanation: Explanation) -> Text:
    found = explanation.found
    replays = f", {replays_text(found.letter.replays)}" if found.letter.replays else ""
    return Text(f"letter {found.letter.name}: {found.letter.reason}, {found.state}{replays}", style="bold reverse")


def _what_it_was(explanation: Explanation) -> Iterator[Text]:
    letter = explanation.found.letter
    yield Text(f"record    {printable(str(letter.origin))}")
    yield Text(f"first on  {explanation.first_seen or 'a time that Kafka does not tell'}")
    yield Text(f"user      {printable(explanation.user_id or '-')}")
    key = f"key       {_in_line(explanation.key)}"
    yield _marked(key, explanation, is_at_fault=True) if explanation.is_key_at_fault else Text(printable(key))
    for name, value in explanation.headers:
        yield Text(f"header    {printable(name)}: {'no value' if value is None else printable(value)}")
    if explanation.value.form == "json":
        yield from _shortened(list(_value(explanation)))
    elif explanation.value.form == "text":
        yield from _shortened(list(_text(explanation)))
    else:
        yield Text(f"value     {_in_line(explanation.value)}")


def _value(explanation: Explanation) -> Iterator[tuple[Text, bool]]:
    for line in lines(explanation.value.tree):
        is_at_fault = line.position is not None and line.position == explanation.field
        yield _marked(line.text, explanation, is_at_fault=is_at_fault), is_at_fault


def _text(explanation: Explanation) -> Iterator[tuple[Text, bool]]:
    """The lines of a text that is no JSON, and a mark under the character at fault."""
    fault_at, begin = explanation.value.fault_at, 0
    for line in (explanation.value.text or "").split("\n"):
        column = None if fault_at is None or not begin <= fault_at <= begin + len(line) else fault_at - begin
        cut, mark_at = _around(line, column or 0)
        yield _marked(cut, explanation, is_at_fault=column is not None), column is not None
        if column is not None:
            yield Text(f"{' ' * (len(MARK) + mark_at)}^", style="bold red"), False
        begin += len(line) + 1


def _around(line: str, column: int) -> tuple[str, int]:
    """Of a long line what stands around a column, and where that column is in it."""
    start = max(0, column - COLUMNS_SHOWN // 2)
    before, after = "…" * (start > 0), "…" * (start + COLUMNS_SHOWN < len(line))
    return f"{before}{line[start : start + COLUMNS_SHOWN]}{after}", column - start + len(before)


def _shortened(printed: list[tuple[Text, bool]]) -> Iterator[Text]:
    """The first lines, and those around the one at fault."""
    at_fault = next((at for at, (_, is_at_fault) in enumerate(printed) if is_at_fault), 0)
    start = 0 if at_fault < LINES_SHOWN else at_fault - LINES_SHOWN // 2
    if start:
        yield Text(f"… {start} lines before, which --json shows", style="dim")
    yield from (text for text, _ in printed[start : start + LINES_SHOWN])
    left = len(printed) - start - LINES_SHOWN
    if left > 0:
        yield Text(f"… {left} more lines, which --json shows", style="dim")


def _marked(text: str, explanation: Explanation, *, is_at_fault: bool) -> Text:
    if not is_at_fault:
        return Text(f"{' ' * len(MARK)}{printable(text)}")
    return Text(f"{MARK}{printable(text)}   <- {printable(explanation.message)}", style="bold red")


def _what_was_sent(explanation: Explanation) -> Iterator[Text]:
    for operation in explanation.operations:
        yield from _shortened([(Text(printable(line.text)), False) for line in lines(operation)])


def _what_came_back(explanation: Explanation) -> Iterator[Text]:
    letter = explanation.found.letter
    yield Text(f"{letter.reason}: {IN_WORDS[letter.reason]}")
    yield Text(printable(explanation.message))
    status = "no answer" if letter.status is None else f"HTTP {letter.status}"
    if letter.attempts:
        yield Text(f"{status} after {letter.attempts} attempt{'s' if letter.attempts > 1 else ''}")
    yield Text(f"set aside at {printable(letter.failed_at or 'an unknown time')}")


def _decided(decision: Decision) -> Text:
    note = f": {decision.note}" if decision.note else ""
    return Text(printable(f"{decision.decision} at {decision.at} by {decision.by}{note}"))


def _in_line(content: Content) -> str:
    if content.form == "null":
        return "null"
    if content.form == "text":
        return content.text or '""'
    if content.text is None:
        return f"{content.size} bytes that are no text: --reveal shows them"
    dump = " ".join(content.text[at : at + _HEX_LINE] for at in range(0, len(content.text), _HEX_LINE))
    return f"{content.size} bytes: {dump}"
