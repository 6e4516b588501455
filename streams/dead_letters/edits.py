"""A letter's value as a person edits it: shown in lines, judged as a worker would, compared. It touches nothing."""

import json
from collections.abc import Iterator, Sequence
from contextlib import suppress
from difflib import SequenceMatcher
from itertools import takewhile
from typing import Any, Final, cast

from agents.plans.replay import ReplayPlan
from schemas.record import Record
from streams.dead_letters.masking import Json, masked, outlined, shown_message

DIFF_BYTES_MAX: Final = 8_192
DIFF_LINES_MAX: Final = 2_000  # comparing takes as long as the square of that
CONTEXT_LINES: Final = 3
_CUT: Final = "\n… the rest is left out"


def pretty(value: bytes | None) -> bytes:
    """The value in lines, where it is JSON of which nothing gets lost by that; else as it is."""
    tree = _read(value or b"")
    return value or b"" if tree is None else _written(tree, indent=2) + b"\n"


def compact(value: bytes | None) -> bytes:
    """The value without the blanks of an editor, as `pretty` has it."""
    tree = _read(value or b"")
    return value or b"" if tree is None else _written(tree, separators=(",", ":"))


def fault_of(record: Record) -> str | None:
    """Why a worker would set this replay aside without sending it, naming the field; None when it would not.

    A name that could be somebody's is masked.
    """
    plan = ReplayPlan()
    plan.add([record])
    return next((f"{found.reason}: {shown_message(found.detail or '')}" for found in plan.conclusions), None)


def difference(before: bytes | None, after: bytes | None, *, is_masked: bool = False) -> str:
    """A unified diff of the two as `pretty` has them, of at most `DIFF_BYTES_MAX` bytes.

    What `is_masked` shows the same lines without their contents: also where a change cannot be seen any more.
    """
    old, new = (_split(pretty(value).decode(errors="replace")) for value in (before, after))
    alike = _alike(old, new)
    ending = _alike(old[alike:][::-1], new[alike:][::-1])
    if max(len(old), len(new)) - alike - ending > DIFF_LINES_MAX:
        return f"lines {alike + 1} to {len(old) - ending} of {len(old)} were replaced by {len(new) - alike - ending}"
    shown = (_masked_lines(before), _masked_lines(after)) if is_masked else (old, new)
    text = "\n".join(_unified(SequenceMatcher(None, old, new), *shown)).encode()
    if len(text) <= DIFF_BYTES_MAX:
        return text.decode()
    return text[: DIFF_BYTES_MAX - len(_CUT.encode())].decode(errors="ignore") + _CUT


def _unified(matcher: "SequenceMatcher[str]", old: Sequence[str], new: Sequence[str]) -> Iterator[str]:
    """The lines of the diff, in which `old` and `new` stand for those that were compared."""
    groups = list(matcher.get_grouped_opcodes(CONTEXT_LINES))
    yield from ("--- before", "+++ after") if groups else ()
    for group in groups:
        first, last = group[0], group[-1]
        yield f"@@ -{_span(first[1], last[2])} +{_span(first[3], last[4])} @@"
        for tag, start, end, new_start, new_end in group:
            if tag == "equal":
                yield from (f" {line}" for line in old[start:end])
            else:
                yield from (f"-{line}" for line in old[start:end])
                yield from (f"+{line}" for line in new[new_start:new_end])


def _span(start: int, end: int) -> str:
    """As `diff -u` writes it: the first line, counted from 1, and how many, where that is not one."""
    count = end - start
    return f"{start + 1}" if count == 1 else f"{start + (count > 0)},{count}"


def _split(text: str) -> list[str]:
    return text.removesuffix("\n").split("\n") if text else []


def _masked_lines(value: bytes | None) -> list[str]:
    """As many as `pretty` has."""
    tree = _read(value or b"")
    if tree is not None:
        with suppress(RecursionError):  # masking goes less deep than reading
            return _split(_written(masked(cast(Json, tree)), indent=2).decode())
    return _split(outlined(pretty(value).decode(errors="replace")))


def _alike(old: Sequence[str], new: Sequence[str]) -> int:
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(old, new, strict=False)))


def _read(value: bytes) -> object:
    """The JSON; None for `null` too, and where writing it again could change what it says."""
    try:
        tree: object = json.loads(value, object_pairs_hook=_once_each, parse_constant=_refuse)
        _written(tree)
    except (ValueError, RecursionError):  # not UTF-8, not JSON, a lone surrogate, a number that no double holds
        return None
    return tree


def _written(tree: object, **form: Any) -> bytes:  # noqa: ANN401 - json's own
    return json.dumps(tree, ensure_ascii=False, allow_nan=False, **form).encode()


def _once_each(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    return found if len(found) == len(pairs) else _refuse("a name that is given twice")


def _refuse(what: str) -> Any:  # noqa: ANN401 - never returns
    raise ValueError(what)
