"""Counts letters in flat memory: by reason, topic, status, hour and state, the oldest open one, what repeats. Pure."""

from collections import Counter
from collections.abc import Iterable
from typing import Any, Final

from schemas.dead_letter import LetterName
from schemas.times import is_time, unix_ms
from streams.dead_letters.letter import Letter
from streams.dead_letters.rows import content_of

TOPICS_MAX: Final = 100
HOURS_MAX: Final = 2_000  # letters are kept for 30 days, which have 720
CONTENTS_MAX: Final = 10_000
REPEATED_SHOWN: Final = 5
OTHERS: Final = "others"
_HOUR_CHARACTERS: Final = len("2026-11-22T10")


class Stats:
    """Takes letters one by one."""

    def __init__(self) -> None:
        self.total = 0
        self.reasons: Counter[str] = Counter()
        self.topics: Counter[str] = Counter()
        self.statuses: Counter[str] = Counter()
        self.hours: Counter[str] = Counter()
        self.states: Counter[str] = Counter(dict.fromkeys(("open", "replayed", "discarded", "parked"), 0))
        self.oldest: str | None = None
        self.repeated = Repeated()

    def add(self, found: Letter) -> None:
        """Count one more."""
        letter = found.letter
        self.total += 1
        self.reasons[letter.reason] += 1
        _count(self.topics, letter.origin.topic, TOPICS_MAX)
        self.statuses["none" if letter.status is None else str(letter.status)] += 1
        _count(self.hours, _hour(letter.failed_at), HOURS_MAX)
        self.states[found.state] += 1
        self.repeated.add(found)
        if found.state == "open" and is_time(letter.failed_at):
            self.oldest = min(self.oldest or letter.failed_at, letter.failed_at)

    def told(self, *, now_ms: int) -> dict[str, Any]:
        """All of it as one JSON object."""
        return {
            "total": self.total,
            "open": self.states["open"],
            "oldest": self.oldest,
            "oldest_age_s": None if self.oldest is None else max(0, now_ms - unix_ms(self.oldest)) // 1000,
            "by_reason": dict(self.reasons.most_common()),
            "by_topic": dict(self.topics.most_common()),
            "by_state": dict(self.states),
            "by_status": dict(self.statuses.most_common()),
            "by_hour": dict(sorted(self.hours.items())),
            "repeated": self.repeated.told(),
        }


class Repeated:
    """How often the same content comes, of what comes most often: at least so often, when many others came between.

    Once there are too many contents, each counts one less: what makes up more than one in `CONTENTS_MAX` stays.
    """

    def __init__(self, contents_max: int = CONTENTS_MAX) -> None:
        self._contents_max = contents_max
        self._times: Counter[bytes] = Counter()
        self._last: dict[bytes, tuple[LetterName, str, str]] = {}

    def add(self, found: Letter) -> None:
        """Count one more."""
        letter = found.letter
        content = content_of(letter)
        if content not in self._times and len(self._times) >= self._contents_max:
            self._lower()
            return
        self._times[content] += 1
        self._last[content] = (letter.name, letter.origin.topic, letter.reason)

    def _lower(self) -> None:
        self._times = Counter({content: times - 1 for content, times in self._times.items() if times > 1})
        self._last = {content: self._last[content] for content in self._times}

    def told(self) -> list[dict[str, Any]]:
        """The most repeated ones, each named by its last letter."""
        return [
            {"letter": str(name), "topic": topic, "reason": reason, "at_least": times}
            for content, times in self._times.most_common(REPEATED_SHOWN)
            if times > 1
            for name, topic, reason in (self._last[content],)
        ]


def counted(found: Iterable[Letter]) -> Stats:
    """Go through letters and count them."""
    stats = Stats()
    for each in found:
        stats.add(each)
    return stats


def _count(counter: Counter[str], name: str, names_max: int) -> None:
    counter[name if name in counter or len(counter) < names_max else OTHERS] += 1


def _hour(failed_at: str) -> str:
    return f"{failed_at[:_HOUR_CHARACTERS]}:00Z" if is_time(failed_at) else "unknown"
