"""The topics of the contract as data: names, partition counts and configurations; it talks to no cluster."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from streams.settings import Settings

USER_CHANGES: Final = "user-changes"
DOMAIN_EVENTS: Final = "domain-events"
TRANSACTIONAL_MESSAGES: Final = "transactional-messages"
BROADCAST_TRIGGERS: Final = "broadcast-triggers"
REPLAY: Final = "customerio-replay"
WEBHOOKS: Final = "customerio-webhooks"
PERSON_STATUS: Final = "customerio-person-status"
RESULTS: Final = "customerio-results"
DLQ: Final = "customerio-dlq"
LEDGER_PEOPLE: Final = "customerio-ledger-people"
LEDGER_EVENTS: Final = "customerio-ledger-events"
LEDGER_SENDS: Final = "customerio-ledger-sends"
DLQ_DECISIONS: Final = "customerio-dlq-decisions"

INPUTS: Final = (USER_CHANGES, DOMAIN_EVENTS, TRANSACTIONAL_MESSAGES, BROADCAST_TRIGGERS)
WITH_ORIGINALS: Final = (DLQ, REPLAY, RESULTS)
"""These hold an input record (a result: its key) and more, so they must take more than the inputs do."""

LETTER_HEADERS_BYTES: Final = 65_536
SEND_BYTES: Final = 3 * 1024 * 1024
"""A transactional message may have 2 MB of attachments, in base64, and more beside: topics take 1 MB by default."""

MESSAGE_BYTES: Final = "max.message.bytes"
_SAFE_REPLICATION: Final = 3
_MINUTE_MS: Final = 60_000
_HOUR_MS: Final = 60 * _MINUTE_MS
_DAY_MS: Final = 24 * _HOUR_MS


@dataclass(frozen=True, slots=True, kw_only=True)
class Topic:
    """A topic as it should be; `name` is the full one. `max.message.bytes` depends on the cluster, so not in here."""

    name: str
    partitions: int
    replication: int
    config: Mapping[str, str]


def plan(settings: Settings) -> dict[str, Topic]:
    """Give every topic by its short name."""
    everywhere = {"min.insync.replicas": "2" if settings.topic_replication >= _SAFE_REPLICATION else "1"}
    return {
        name: Topic(
            name=settings.topic(name),
            partitions=1 if name == BROADCAST_TRIGGERS else settings.topic_partitions,
            replication=settings.topic_replication,
            config=everywhere | config,
        )
        for name, config in _configs(settings).items()
    }


def _configs(settings: Settings) -> dict[str, dict[str, str]]:
    week, month = _deleted_after(7 * _DAY_MS), _deleted_after(30 * _DAY_MS)
    return {
        **dict.fromkeys(INPUTS, week),
        REPLAY: month,
        WEBHOOKS: week,
        RESULTS: week,
        DLQ: month,
        LEDGER_PEOPLE: _compacted(),
        LEDGER_EVENTS: _forgotten_after(settings.dedupe_window_s),
        LEDGER_SENDS: _forgotten_after(settings.send_memory_s),
        DLQ_DECISIONS: _compacted(),
        PERSON_STATUS: _compacted() | {"min.compaction.lag.ms": str(7 * _DAY_MS)},
    }


def _deleted_after(retention_ms: int) -> dict[str, str]:
    return {"cleanup.policy": "delete", "retention.ms": str(retention_ms)}


def _forgotten_after(seconds: float) -> dict[str, str]:
    """Only whole segments are deleted, so they are short: a twenty-fourth too much to read back, as a rule."""
    retention_ms = int(seconds * 1000)
    segment_ms = min(max(retention_ms // 24, _MINUTE_MS), _DAY_MS)
    return _deleted_after(retention_ms) | {"segment.ms": str(segment_ms)}


def _compacted() -> dict[str, str]:
    """The segment being written is never compacted, and read back whole: hours and 64 MiB keep that short."""
    return {
        "cleanup.policy": "compact",
        "min.cleanable.dirty.ratio": "0.2",
        "segment.bytes": str(64 * 1024 * 1024),
        "segment.ms": str(6 * _HOUR_MS),
    }
