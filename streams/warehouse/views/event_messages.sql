-- A domain event that we delivered, and the campaigns' messages that it led to; one row for each message.
--
-- `joined_by` says how that is known:
--   event id         the webhook's trigger_event_id is the ULID under which we sent the event. That Customer.io puts the
--                    event's own id there is likely, but nowhere promised: where no row says so, it does not.
--   person and time  otherwise: the person's last event that we delivered before the message was first heard of, at most
--                    {join_window_s()} s earlier; only where there is none, one that seems up to {clocks_s()} s later,
--                    for clocks differ. A guess: another event, or none of ours, may have been the cause. Results do not
--                    tell an anonymous id from a person's: an anonymous event may be taken for a person's of that id.
--
-- The place and the times are those of the event's own record, also where only a replay of it was delivered.
WITH known AS (
  SELECT
    delivery_id,
    person_id,
    channel,
    campaign_id,
    trigger_event_id,
    sent_at,
    delivered_at,
    opened_at,
    clicked_at,
    first_at
  FROM {relation(messages)}
  WHERE trigger_event_id IS NOT NULL OR campaign_id IS NOT NULL
),
delivered AS (
  SELECT
    event_id,
    user_id,
    source_topic,
    source_partition,
    source_offset,
    source_at,
    origin_topic,
    origin_partition,
    origin_offset,
    processed_at
  FROM {relation(results)}
  WHERE outcome = 'delivered' AND event_id IS NOT NULL
  QUALIFY ROW_NUMBER() OVER (PARTITION BY event_id ORDER BY processed_at NULLS LAST, source_at NULLS LAST) = 1
),
first_times AS (
  SELECT delivered.event_id, MIN(results.source_at) AS source_at
  FROM delivered
  JOIN {relation(results)} AS results
    ON
      results.source_topic = delivered.origin_topic
      AND results.source_partition = delivered.origin_partition
      AND results.source_offset = delivered.origin_offset
  WHERE delivered.origin_topic IS NOT NULL AND results.origin_topic IS NULL
  GROUP BY delivered.event_id
),
events AS (
  SELECT
    delivered.event_id,
    delivered.user_id,
    COALESCE(delivered.origin_topic, delivered.source_topic) AS source_topic,
    COALESCE(delivered.origin_partition, delivered.source_partition) AS source_partition,
    COALESCE(delivered.origin_offset, delivered.source_offset) AS source_offset,
    CASE WHEN delivered.origin_topic IS NULL THEN delivered.source_at ELSE first_times.source_at END AS source_at,
    delivered.processed_at
  FROM delivered
  LEFT JOIN first_times ON first_times.event_id = delivered.event_id
),
by_id AS (
  SELECT events.*, known.delivery_id, 'event id' AS joined_by
  FROM known
  JOIN events ON events.event_id = known.trigger_event_id
),
by_person AS (
  SELECT events.*, unnamed.delivery_id, 'person and time' AS joined_by
  FROM (
    SELECT known.delivery_id, known.person_id, known.first_at
    FROM known
    LEFT JOIN by_id ON by_id.delivery_id = known.delivery_id
    WHERE known.campaign_id IS NOT NULL AND by_id.delivery_id IS NULL
  ) AS unnamed
  JOIN events ON events.user_id = unnamed.person_id
  WHERE {seconds_between(events.processed_at, unnamed.first_at)} BETWEEN -{clocks_s()} AND {join_window_s()}
  QUALIFY
    ROW_NUMBER() OVER (
      PARTITION BY unnamed.delivery_id
      ORDER BY
        -- webhooks know whole seconds: within the message's own second an event counts as before it
        {seconds_between(unnamed.first_at, events.processed_at)} >= 1,
        events.processed_at DESC,
        events.event_id
    ) = 1
),
joined AS (
  SELECT * FROM by_id
  UNION ALL
  SELECT * FROM by_person
)
SELECT
  joined.*,
  known.person_id,
  known.channel,
  known.campaign_id,
  known.sent_at,
  known.delivered_at,
  known.opened_at,
  known.clicked_at,
  known.first_at,
  {seconds_between(joined.source_at, known.sent_at)} AS seconds_to_sent,
  {seconds_between(joined.source_at, known.delivered_at)} AS seconds_to_delivered,
  {seconds_between(joined.source_at, known.opened_at)} AS seconds_to_opened,
  {seconds_between(joined.source_at, known.clicked_at)} AS seconds_to_clicked
FROM joined
JOIN known ON known.delivery_id = joined.delivery_id
