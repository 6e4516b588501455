"""Direct and queued say the same to Customer.io: the service's requests against what a worker makes of the records."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import orjson
from hypothesis import given
from hypothesis import strategies as st

from agents.plan import Plan
from agents.plans.domain_events import DomainEventsPlan
from agents.plans.user_changes import UserChangesPlan
from schemas.errors import InvalidInputError
from streams.messaging import User, UserMessagingRepository
from streams.messaging.checks import check
from streams.messaging.drafts import Draft
from streams.messaging.queued_verbs import QueuedVerbs
from streams.settings import Settings
from tests.builders import carry_out
from tests.fake_time import in_fake_time
from tests.messaging_world import ScriptedApi, service_on
from tests.unit.input_records import InputRecord

AT = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
TEXTS = st.none() | st.text(max_size=20) | st.text(min_size=990, max_size=1010)
IDS = st.text(max_size=60) | st.integers(-5, 2**70)
WANTS = st.sampled_from([None, True, False])
TIMES = st.none() | st.integers(-1, 10**12) | st.floats(-1, 1e12) | st.datetimes(timezones=st.sampled_from([None, UTC]))
USERS = st.builds(
    User,
    id=IDS,
    email=TEXTS,
    first_name=TEXTS,
    last_name=TEXTS,
    plan=TEXTS,
    created_at=TIMES,
    marketing_opt_in=WANTS,
    transactional_opt_in=WANTS,
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
DATA = st.dictionaries(st.text(max_size=10), JSON, max_size=4)
EVENTS = st.fixed_dictionaries(
    {"name": st.text(max_size=40)},
    optional={"user_id": IDS, "anonymous_id": IDS, "id": IDS, "data": DATA, "occurred_at": st.just(AT)},
)

Said = list[dict[str, Any]] | str
"""Operations at Customer.io, or why there are none."""


class Records(QueuedVerbs[Draft]):
    """A face of the queue that gives back what it would write."""

    def _enqueue(self, operation: str, draft: Callable[[], Draft]) -> Draft:  # noqa: ARG002 - the face's signature
        made = draft()
        check(made)
        return made


RECORDS = Records(Settings())


def queued(write: Callable[[Records], Draft], plan: Plan) -> Said:
    """What a worker sends for the record."""
    try:
        made = write(RECORDS)
    except InvalidInputError as error:
        return str(error)
    record = InputRecord(topic=made.topic, key=made.key, value=made.value, timestamp=made.timestamp)
    waves = carry_out(plan, [record])
    return lasting([orjson.loads(body) for wave in waves for parcel in wave for body in parcel.bodies])


def direct(say: Callable[[Any], Any]) -> Said:
    """What the service sends."""
    api = ScriptedApi()

    async def run() -> Said:
        async with service_on(api) as service:
            try:
                await say(service)
            except InvalidInputError as error:
                assert api.asked == []
                return str(error)
        return lasting(api.operations())

    return in_fake_time(run())


def lasting(operations: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Without the times that change by themselves."""
    for operation in operations:
        if operation.get("action") == "identify":
            del operation["timestamp"], operation["attributes"]["last_seen_at"]
    return operations


@given(USERS)
def test_of_any_user(user: User) -> None:
    """The same operations, or the same fault."""
    by_record = queued(lambda records: UserMessagingRepository(records.users).sync_user(user), UserChangesPlan())

    assert by_record == direct(lambda service: UserMessagingRepository(service).sync_user(user))


@given(IDS)
def test_of_any_deletion(user_id: str | int) -> None:
    """Suppress, then delete."""
    by_record = queued(
        lambda records: UserMessagingRepository(records.users).on_user_deleted(user_id), UserChangesPlan()
    )

    assert by_record == direct(lambda service: UserMessagingRepository(service).on_user_deleted(user_id))
    assert isinstance(by_record, str) or [each["action"] for each in by_record] == ["suppress", "delete"]


@given(IDS, DATA)
def test_of_any_attributes(user_id: str | int, attributes: dict[str, Any]) -> None:
    """Whatever an application puts there."""
    by_record = queued(lambda records: records.enqueue_identify(user_id, attributes=attributes), UserChangesPlan())

    assert by_record == direct(lambda service: service.identify(user_id, attributes=attributes))


@given(EVENTS)
def test_of_any_event(event: dict[str, Any]) -> None:
    """With the same id, where the application's id or a time makes it the same event."""
    by_record = queued(lambda records: records.enqueue_track(**event), DomainEventsPlan())
    at_once = direct(lambda service: service.track(**event))
    changing = set() if "occurred_at" in event else {"timestamp"} if "id" in event else {"timestamp", "id"}

    assert without(by_record, changing) == without(at_once, changing)


def without(said: Said, names: set[str]) -> Said:
    """The same operations, without these fields."""
    if isinstance(said, str):
        return said
    return [{name: value for name, value in each.items() if name not in names} for each in said]
