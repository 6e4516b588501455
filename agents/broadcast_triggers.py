"""The Faust agent of `broadcast-triggers`: every chunk goes through the pipeline with the plan for sends."""

from functools import partial
from typing import Any

import faust

from agents.pipeline import Handle
from agents.plans.sends import SendsPlan
from agents.steps.translate_send import translate_trigger


def broadcast_triggers(app: faust.App, topic: Any, handle: Handle) -> Any:  # noqa: ANN401 - Faust's own types are Any here
    """Declare the agent on `topic`; one actor per partition, one chunk at a time."""
    make_plan = partial(SendsPlan, translate=translate_trigger)

    async def trigger_broadcasts(chunks: Any) -> None:  # noqa: ANN401 - as above
        """Bring broadcast triggers to Customer.io."""
        async for event in chunks.noack().events():
            await handle(event, make_plan)

    return app.agent(topic, name="broadcast-triggers", isolated_partitions=True)(trigger_broadcasts)
