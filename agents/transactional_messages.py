"""The Faust agent of `transactional-messages`: every chunk goes through the pipeline with the plan for sends."""

from functools import partial
from typing import Any

import faust

from agents.pipeline import Handle
from agents.plans.sends import SendsPlan
from agents.steps.translate_send import translate_message


def transactional_messages(app: faust.App, topic: Any, handle: Handle) -> Any:  # noqa: ANN401 - Faust's own types are Any here
    """Declare the agent on `topic`; one actor per partition, one chunk at a time."""
    make_plan = partial(SendsPlan, translate=translate_message)

    async def send_messages(chunks: Any) -> None:  # noqa: ANN401 - as above
        """Bring transactional messages to Customer.io."""
        async for event in chunks.noack().events():
            await handle(event, make_plan)

    return app.agent(topic, name="transactional-messages", isolated_partitions=True)(send_messages)
