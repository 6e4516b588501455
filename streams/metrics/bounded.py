"""Turns what came back from Customer.io into a label's value: one of those that are declared, whatever was answered."""

import re
from typing import Final

from schemas.answer import Answer, NoAnswer
from streams.metrics.labels import NO_ANSWERS, OTHER, STATUSES, UNREADABLE

_CAUSE: Final = re.compile(r"HTTP (\d{3})( with an unreadable body)?", re.ASCII)


def status_value(response: Answer | NoAnswer) -> str:
    """The status, or why there is none."""
    return _status(response.status) if isinstance(response, Answer) else _no_answer(response.cause)


def cause_value(cause: str) -> str:
    """What a judgement says that a request is repeated for."""
    found = _CAUSE.fullmatch(cause)
    if not found:
        return _no_answer(cause)
    return UNREADABLE if found[2] else f"HTTP {_status(int(found[1]))}"


def _status(status: int) -> str:
    text, by_digit = str(status), f"{status // 100}xx"
    return text if text in STATUSES else by_digit if by_digit in STATUSES else OTHER


def _no_answer(cause: str) -> str:
    return cause if cause in NO_ANSWERS else OTHER
