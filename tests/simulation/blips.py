"""What goes wrong once more when an outage is over: its probes fail again, while all other requests do well."""

import random
from collections import Counter
from dataclasses import dataclass, field

from tests.simulation.weather import Failing, Spell

ATTEMPTS = 3  # after so many failures in an outage the breaker is open, and all further ones are probes
BLIPS_MAX = ATTEMPTS - 1  # so that they are nobody's fault

Sent = tuple[str, bytes]


@dataclass(slots=True)
class Blips:
    """Knows what each worker has sent in an outage, and how often."""

    random: random.Random
    _failed: Counter[Sent] = field(default_factory=Counter)
    _left: dict[Sent, int] = field(default_factory=dict)

    def failing(self, spell: Spell | None, worker: str, body: bytes) -> Failing | None:
        """How a request that is well otherwise fails, None when it does not."""
        sent = (worker, body)
        if spell is not None and spell.is_total:
            self._failed[sent] += 1
            return None
        if self._failed.pop(sent, 0) > ATTEMPTS:
            self._left[sent] = self.random.randint(0, BLIPS_MAX)
        if not self._left.get(sent):
            return None
        self._left[sent] -= 1
        return Failing(status=503)
