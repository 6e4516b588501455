"""The Faust agent of `customerio-replay`: every chunk goes through the pipeline with the plan for replays."""

from typing import Any

import faust

from agents.pipeline import Handle
from agents.plans.replay import ReplayPlan


def replay(app: faust.App, topic: Any, handle: Handle) -> Any:  # noqa: ANN401 - Faust's own types are Any here
    """Declare the agent on `topic`; one actor per partition, one chunk at a time."""

    async def deliver_again(chunks: Any) -> None:  # noqa: ANN401 - as above
        """Bring what was set aside to Customer.io after all."""
        async for event in chunks.noack().events():
            await handle(event, ReplayPlan)

    return app.agent(topic, name="customerio-replay", isolated_partitions=True)(deliver_again)
