"""What one would write first: a plain Faust agent, one event at a time, one request each. Nothing of ours is in it.

It promises far less: no order in time, no fingerprints, no dead letters, results and offsets not together. Run by its
path as Faust's own command line, with the bench's settings in the environment.
"""

import os
from typing import Any

import faust
import httpx
import orjson

app = faust.App(
    os.environ["APP_ID"],
    broker=f"kafka://{os.environ['KAFKA_BOOTSTRAP_SERVERS']}",
    web_enabled=False,
    topic_disable_leader=True,
    consumer_auto_offset_reset="earliest",
    value_serializer="raw",
    key_serializer="raw",
)
prefix = os.environ["TOPIC_PREFIX"]
changes = app.topic(f"{prefix}user-changes", value_type=bytes, key_type=bytes)
results = app.topic(f"{prefix}customerio-results", value_type=bytes, key_type=bytes)
api = httpx.AsyncClient(
    base_url=os.environ["CUSTOMERIO_TRACK_URL"],
    auth=(os.environ["CUSTOMERIO_SITE_ID"], os.environ["CUSTOMERIO_TRACK_API_KEY"]),
    headers={"Content-Type": "application/json"},
)


@app.agent(changes, isolated_partitions=True)  # all the concurrency that Faust has without losing a user's order
async def sync_users(events: Any) -> None:  # noqa: ANN401 - Faust's own types are Any here
    """Send each user change by itself, and say what became of it."""
    async for event in events.events():
        user = orjson.loads(event.value)["user"]
        attributes = {name: value for name, value in user.items() if name not in {"id", "preferences", "attributes"}}
        body = {
            "type": "person",
            "action": "identify",
            "identifiers": {"id": user["id"]},
            "attributes": attributes | user["attributes"],
        }
        response = await api.post("/api/v2/entity", content=orjson.dumps(body))
        result = {"outcome": "delivered" if response.is_success else "dead", "user_id": user["id"]}
        await results.send(key=event.key, value=orjson.dumps(result))


if __name__ == "__main__":
    app.main()
