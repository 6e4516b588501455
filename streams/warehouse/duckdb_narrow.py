"""The view `event_messages` for one event, from the few rows that decide it: the view goes through all, for seconds.

These are the event's messages and its person's, and the results of either, a replay's first ones too; for the query the
names of views stand for them.
"""

from typing import Final

from streams.warehouse.dialect import DUCKDB

_ROWS: Final = """
WITH asked AS (
  SELECT user_id, origin_topic, origin_partition, origin_offset FROM main.results WHERE event_id = ?
),
webhooks AS (
  SELECT * FROM main.webhooks WHERE delivery_id IN (
    SELECT delivery_id FROM main.webhooks
    WHERE trigger_event_id = ? OR person_id IN (SELECT user_id FROM asked)
  )
),
results AS (
  SELECT * FROM main.results
  WHERE
    user_id IN (SELECT user_id FROM asked)
    OR event_id IN (SELECT trigger_event_id FROM webhooks)
    OR (source_topic, source_partition, source_offset) IN (
      SELECT (origin_topic, origin_partition, origin_offset) FROM asked WHERE origin_topic IS NOT NULL
    )
),
"""


def event_messages(event_id: str) -> tuple[str, list[str | int]]:
    """A query of the event's rows of the view, and its values."""
    messages, view = DUCKDB.view("messages"), DUCKDB.view("event_messages")
    asked = f"{_ROWS} messages AS (\n{messages}\n), found AS (\n{view}\n) SELECT * FROM found WHERE event_id = ?"  # noqa: S608 - texts of ours, values apart
    return asked, [event_id, event_id, event_id]
