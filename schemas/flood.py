"""A flood: so large a share of dead letters that they are rather held back than written, and the example to show."""

from collections.abc import Sequence
from dataclasses import dataclass

from schemas.conclusion import Conclusion
from schemas.outcome import Reason
from schemas.record import Record


@dataclass(frozen=True, slots=True, kw_only=True)
class Flood:
    """Of the last `records` of a topic (full name), the chunk at hand included, `dead` would be dead letters.

    `reason` is what most of that chunk's die of, the `suspects` are those that do, `example` is the first of them with
    the detail that most of them have.
    """

    topic: str
    partition: int
    records: int
    dead: int
    reason: Reason | None
    suspects: Sequence[Record]
    example: Conclusion
