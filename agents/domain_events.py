"""The Faust agent of `domain-events`: every chunk goes through the pipeline with the plan for domain events."""

from typing import Any

import faust

from agents.pipeline import Handle
from agents.plans.domain_events import DomainEventsPlan


def domain_events(app: faust.App, topic: Any, handle: Handle) -> Any:  # noqa: ANN401 - Faust's own types are Any here
    """Declare the agent on `topic`; one actor per partition, one chunk at a time."""

    async def send_events(chunks: Any) -> None:  # noqa: ANN401 - as above
        """Bring domain events to Customer.io."""
        async for event in chunks.noack().events():
            await handle(event, DomainEventsPlan)

    return app.agent(topic, name="domain-events", isolated_partitions=True)(send_events)
