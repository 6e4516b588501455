"""The Faust agent of `user-changes`: every chunk goes through the pipeline with the plan for user changes."""

from typing import Any

import faust

from agents.pipeline import Handle
from agents.plans.user_changes import UserChangesPlan


def user_changes(app: faust.App, topic: Any, handle: Handle) -> Any:  # noqa: ANN401 - Faust's own types are Any here
    """Declare the agent on `topic`; one actor per partition, one chunk at a time."""

    async def sync_users(chunks: Any) -> None:  # noqa: ANN401 - as above
        """Bring user changes to Customer.io."""
        async for event in chunks.noack().events():
            await handle(event, UserChangesPlan)

    return app.agent(topic, name="user-changes", isolated_partitions=True)(sync_users)
