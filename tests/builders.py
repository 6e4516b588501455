"""Builders that take only what matters to a test, and what tests of several files need to look at the outcome."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import orjson
from pydantic import SecretStr

from agents.plan import Plan
from agents.ports import Memory, Publication
from schemas.chunk import Chunk, Membership
from schemas.delivery import Parcel, Verdict
from schemas.record import Record
from streams.customerio.credentials import Credentials
from streams.customerio.track import TrackClient
from streams.delivery.ledger import PartitionMemory
from streams.kafka.transactions import OutputTopics
from streams.settings import Settings
from tests.unit.input_records import TIMESTAMP_MS, InputRecord

TOPICS = OutputTopics(results="results", letters="letters", people="people", events="events", sends="sends")

Decide = Callable[[Parcel], bool]
MEMBERSHIP = Membership(7, "member-1")


def make_change(user_id: str = "u-1", *, offset: int = 0, **fields: object) -> InputRecord:
    """Build an upsert; `version`, `occurred_at` and `timestamp` go where they belong, the rest is the user's."""
    top = {name: fields.pop(name) for name in ("version", "occurred_at") if name in fields}
    timestamp = fields.pop("timestamp", TIMESTAMP_MS)
    assert isinstance(timestamp, int)
    value = orjson.dumps({"type": "user.upserted", **top, "user": {"id": user_id, **fields}})
    return InputRecord(key=user_id.encode(), value=value, offset=offset, timestamp=timestamp)


def make_deletion(user_id: str = "u-1", *, offset: int = 0, **fields: object) -> InputRecord:
    """Build a deletion."""
    value = orjson.dumps({"type": "user.deleted", "user_id": user_id, **fields})
    return InputRecord(key=user_id.encode(), value=value, offset=offset)


def make_chunk(
    records: Sequence[Record], *, membership: Membership = MEMBERSHIP, epoch: int = 1, start: int | None = None
) -> Chunk:
    """Build a chunk of records of one partition."""
    first = records[0]
    begin = first.offset if start is None else start
    return Chunk(
        topic=first.topic, partition=first.partition, start=begin, records=records, membership=membership, epoch=epoch
    )


def make_publication(chunk: Chunk | None = None, **parts: Any) -> Publication:  # noqa: ANN401 - any of its fields
    """Build a publication with a result per record."""
    chunk = chunk or make_chunk([InputRecord()])
    results = [(record.key, b"result-%d" % record.offset) for record in chunk.records]
    whole: dict[str, Any] = {"results": results, "letters": [], "people": [], "events": [], "concluded_s": 1000} | parts
    return Publication(chunk=chunk, **whole)


def track_client(
    url: str = "https://track.example.com",
    *,
    credentials: Credentials | None = None,
    timeout_s: float = 10.0,
    **parts: Any,  # noqa: ANN401 - permit, transport
) -> TrackClient:
    """Build a client whose site id is `site` and whose key is `key`, unless `credentials` say otherwise."""
    settings = Settings(customerio_site_id=SecretStr("site"), customerio_track_api_key=SecretStr("key"))
    return TrackClient(url, credentials=credentials or Credentials(settings), timeout_s=timeout_s, **parts)


async def settle_down(turns: int = 20) -> None:
    """Let everything that can run do so, without time passing."""
    for _ in range(turns):
        await asyncio.sleep(0)


def operations_of(waves: Iterable[Sequence[Parcel]]) -> list[list[str]]:
    """The actions of each wave, parcel by parcel: `suppress+delete` is one parcel."""
    return [["+".join(orjson.loads(body)["action"] for body in parcel.bodies) for parcel in wave] for wave in waves]


def verdict_on(*, accepted: bool) -> Verdict:
    """A plain verdict: 200, or a 207's refusal."""
    if accepted:
        return Verdict(accepted=True, status=200, attempts=1)
    return Verdict(accepted=False, status=207, attempts=1, detail="invalid attributes.plan: no", reason="rejected")


def carry_out(
    plan: Plan, records: Sequence[Record], *, decides: Decide = lambda _: True, memory: Memory | None = None
) -> list[list[Parcel]]:
    """Run a plan to its end as the pipeline does; what was sent, wave by wave."""
    plan.add(records)
    plan.recall(memory or PartitionMemory())
    waves: list[list[Parcel]] = []
    while parcels := plan.next_wave():
        assert len(waves) <= len(records) * 3, "the plan does not come to an end"
        waves.append(list(parcels))
        plan.settle([verdict_on(accepted=decides(parcel)) for parcel in parcels])
    return waves


def told(plan: Plan) -> list[str]:
    """Each record's outcome and reason, in offset order."""
    conclusions = sorted(plan.conclusions, key=lambda conclusion: conclusion.record.offset)
    return [f"{c.outcome}:{c.reason}" if c.reason else c.outcome for c in conclusions]
