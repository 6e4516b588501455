-- A transactional message that we sent, by the place of its record (whose `message_id` is on Kafka alone), and what
-- became of it. The App API's answer names the delivery, so this join is certain. The place and the times are those of
-- the record itself, also where a replay of it was sent.
SELECT
  records.topic AS source_topic,
  records.partition_number AS source_partition,
  records.record_offset AS source_offset,
  records.source_at,
  results.user_id,
  results.operations,
  results.outcome,
  results.delivery_id,
  results.processed_at,
  messages.transactional_message_id,
  messages.sent_at,
  messages.delivered_at,
  messages.opened_at,
  messages.clicked_at,
  messages.bounced_at,
  messages.failed_at,
  {seconds_between(records.source_at, messages.delivered_at)} AS seconds_to_delivered,
  {seconds_between(records.source_at, messages.opened_at)} AS seconds_to_opened
FROM {relation(results)} AS results
JOIN {relation(record_outcomes)} AS records
  ON
    records.topic = COALESCE(results.origin_topic, results.source_topic)
    AND records.partition_number = COALESCE(results.origin_partition, results.source_partition)
    AND records.record_offset = COALESCE(results.origin_offset, results.source_offset)
LEFT JOIN {relation(messages)} AS messages ON messages.delivery_id = results.delivery_id
WHERE STARTS_WITH(results.operations, 'send_') AND results.delivery_id IS NOT NULL
