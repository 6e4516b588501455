"""A letter's value as a person edits it: shown in lines, judged as a worker would, compared. It touches nothing."""

import json
from collections.abc import Sequence
from difflib import unified_diff
from itertools import takewhile
from typing import Any, Final

from agents.plans.replay import ReplayPlan
from schemas.record import Record
from streams.dead_letters.masking import shown_message

DIFF_BYTES_MAX: Final = 8_192
DIFF_LINES_MAX: Final = 2_000  # comparing takes as long as the square of that
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


def difference(before: bytes | None, after: bytes | None) -> str:
    """A unified diff of the two as `pretty` has them, of at most `DIFF_BYTES_MAX` bytes."""
    old, new = (pretty(value).decode(errors="replace").splitlines() for value in (before, after))
    alike = _alike(old, new)
    ending = _alike(old[alike:][::-1], new[alike:][::-1])
    if max(len(old), len(new)) - alike - ending > DIFF_LINES_MAX:
        return f"lines {alike + 1} to {len(old) - ending} of {len(old)} were replaced by {len(new) - alike - ending}"
    text = "\n".join(unified_diff(old, new, "before", "after", lineterm="")).encode()
    if len(text) <= DIFF_BYTES_MAX:
        return text.decode()
    return text[: DIFF_BYTES_MAX - len(_CUT.encode())].decode(errors="ignore") + _CUT


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
