"""A worker without a key for the App API: what it reads, what it says, and what becomes of a replayed send."""

import pytest
from pydantic import SecretStr

from agents.plans.replay import ReplayPlan
from schemas.delivery import Parcel
from streams.app import AGENTS, SENDING_AGENTS, agents_by_topic
from streams.customerio.without_key import WithoutKey
from streams.delivery.messenger import Messenger
from streams.kafka import topic_plan
from streams.settings import Settings
from tests.fakes import FakeMemory
from tests.replays import replay_of
from tests.sends import make_message
from tests.sends_world import FakeApp, FakeErrand


def test_without_a_key_the_topics_of_sends_are_left_alone() -> None:
    """Their records wait on Kafka for a worker that can send them."""
    with_key = Settings(customerio_app_api_key=SecretStr("key"))

    assert set(agents_by_topic(Settings())) == set(AGENTS)
    assert set(agents_by_topic(with_key)) == {*topic_plan.INPUTS, topic_plan.REPLAY}
    assert set(SENDING_AGENTS) == {topic_plan.TRANSACTIONAL_MESSAGES, topic_plan.BROADCAST_TRIGGERS}


@pytest.mark.parametrize("even_if_sent", [True, False])
async def test_a_replayed_send_is_refused_and_says_why(*, even_if_sent: bool) -> None:
    """It holds no other replay up, and nothing is written of it: nothing went out."""
    app, sender = FakeApp(), WithoutKey()
    messenger = Messenger({"message": sender}, is_current=lambda _: True)
    plan = ReplayPlan()
    plan.add([replay_of(make_message(), even_if_sent=even_if_sent)])
    plan.recall(FakeMemory())
    parcels: list[Parcel] = plan.next_wave()
    plan.settle([await messenger.send(parcel, FakeErrand(app, "a")) for parcel in parcels])
    (found,) = plan.conclusions

    assert (found.outcome, found.reason, found.attempts, app.told()) == ("dead", "rejected", 0, [])
    assert "CUSTOMERIO_APP_API_KEY" in (found.detail or "")
