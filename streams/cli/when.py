"""How the command line takes spans of time (`90s`, `2h`, `7d`) and points in it: also ISO 8601 and unix seconds."""

import re
from typing import Final

import typer

from schemas.times import unix_ms

_UNIT_S: Final = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}
_AGE: Final = re.compile(r"(\d{1,9})([smhd])", re.ASCII)
_SECONDS: Final = re.compile(r"\d{1,11}", re.ASCII)


def span_s(text: str, *, longest_s: int) -> int:
    """Read a span of time such as `90s`, `2h` or `7d`, in seconds.

    Raises:
        typer.BadParameter: it is none, or outside of 1 to `longest_s` seconds.
    """
    found = _AGE.fullmatch(text)
    seconds = int(found[1]) * _UNIT_S[found[2]] if found else 0
    if not 0 < seconds <= longest_s:
        raise typer.BadParameter(f"expected a time such as 90s, 2h or 7d, from 1s to {longest_s}s")
    return seconds


def point_in_time_ms(text: str, *, now_ms: int, option: str = "--since") -> int:
    """Read what an option says, in unix milliseconds.

    Raises:
        typer.BadParameter: it is no such time.
    """
    if found := _AGE.fullmatch(text):
        return max(0, now_ms - int(found[1]) * _UNIT_S[found[2]] * 1000)
    try:
        return unix_ms(int(text) if _SECONDS.fullmatch(text) else text)
    except ValueError as error:
        raise typer.BadParameter(
            f"{option}: expected an age such as 90s, 2h or 7d, or a time; a time {error}"
        ) from None
