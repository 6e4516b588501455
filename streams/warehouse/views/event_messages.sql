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
WITH delivered AS (
  SELECT
    event_id,
    user_id,
    COALESCE(origin_topic, source_topic) AS topic,
    COALESCE(origin_partition, source_partition) AS partition_number,
    COALESCE(origin_offset, source_offset) AS record_offset,
    processed_at
  FROM {relation(results)}
  WHERE outcome = 'delivered' AND event_id IS NOT NULL
  QUALIFY ROW_NUMBER() OVER (PARTITION BY event_id ORDER BY processed_at NULLS LAST, source_at NULLS LAST) = 1
),
events AS (
  SELECT
    delivered.event_id,
    delivered.user_id,
    delivered.topic AS source_topic,
    delivered.partition_number AS source_partition,
    delivered.record_offset AS source_offset,
    records.source_at,
    delivered.processed_at
  FROM delivered
  LEFT JOIN {relation(record_outcomes)} AS records
    ON
      records.topic = delivered.topic
      AND records.partition_number = delivered.partition_number
      AND records.record_offset = delivered.record_offset
),
by_id AS (
  SELECT events.*, messages.delivery_id, 'event id' AS joined_by
  FROM {relation(messages)} AS messages
  JOIN events ON events.event_id = messages.trigger_event_id
),
by_person AS (
  SELECT events.*, messages.delivery_id, 'person and time' AS joined_by
  FROM {relation(messages)} AS messages
  JOIN events ON events.user_id = messages.person_id
  LEFT JOIN by_id ON by_id.delivery_id = messages.delivery_id
  WHERE
    messages.campaign_id IS NOT NULL
    AND by_id.delivery_id IS NULL
    AND {seconds_between(events.processed_at, messages.first_at)} BETWEEN -{clocks_s()} AND {join_window_s()}
  QUALIFY
    ROW_NUMBER() OVER (
      PARTITION BY messages.delivery_id
      ORDER BY
        -- webhooks know whole seconds: within the message's own second an event counts as before it
        {seconds_between(messages.first_at, events.processed_at)} >= 1,
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
  messages.person_id,
  messages.channel,
  messages.campaign_id,
  messages.sent_at,
  messages.delivered_at,
  messages.opened_at,
  messages.clicked_at,
  messages.first_at,
  {seconds_between(joined.source_at, messages.sent_at)} AS seconds_to_sent,
  {seconds_between(joined.source_at, messages.delivered_at)} AS seconds_to_delivered,
  {seconds_between(joined.source_at, messages.opened_at)} AS seconds_to_opened,
  {seconds_between(joined.source_at, messages.clicked_at)} AS seconds_to_clicked
FROM joined
JOIN {relation(messages)} AS messages ON messages.delivery_id = joined.delivery_id
