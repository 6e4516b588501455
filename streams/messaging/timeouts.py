"""How long a caller may wait: checked once, where it comes in."""

import math
from typing import Final

from schemas.errors import ConfigError, InvalidInputError

TIMEOUT_S_MAX: Final = 86_400.0


def timeout_of(value: object, *, fault: type[ConfigError | InvalidInputError] = InvalidInputError) -> float:
    """Give the seconds.

    Raises:
        ConfigError, InvalidInputError: they are none; which of them is `fault`'s to say.
    """
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or not math.isfinite(value) or not 0 < value <= TIMEOUT_S_MAX:  # type: ignore[arg-type,operator]  # a number by now
        raise fault(f"timeout_s: must be a number of seconds, over 0 and up to {TIMEOUT_S_MAX:,.0f}")
    return float(value)  # type: ignore[arg-type]  # as above
