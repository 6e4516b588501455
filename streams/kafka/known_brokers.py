"""Whether one of librdkafka's clients still knows whom to ask, by the statistics that it gives."""

from typing import Final

import orjson

LOOK_MS: Final = 1_000
LOOKS: Final = 3
"""Who knows no broker so many times in a row will know none again: to begin anew takes a moment."""


class KnownBrokers:
    """Looks at each of a client's statistics (`stats_cb`, every `LOOK_MS`).

    A cluster's only broker that was shut out for a moment names no brokers at first, itself included, and librdkafka,
    which lets go of whom nobody names, does not always begin again (its issue 5301).
    """

    def __init__(self) -> None:
        self._missed = 0

    def look(self, statistics: str) -> None:
        """Take the next ones."""
        brokers = orjson.loads(statistics)["brokers"].values()
        is_known = any(broker["source"] in ("configured", "learned") for broker in brokers)
        self._missed = 0 if is_known else self._missed + 1

    @property
    def are_lost(self) -> bool:
        """Whether there have been none for too long."""
        return self._missed >= LOOKS
