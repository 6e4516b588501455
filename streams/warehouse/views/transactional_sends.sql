-- A transactional message that we sent, by the place of its record (whose `message_id` is on Kafka alone), and what
-- became of it. The App API's answer names the delivery, so this join is certain.
SELECT
  results.source_topic,
  results.source_partition,
  results.source_offset,
  results.source_at,
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
  {seconds_between(results.source_at, messages.delivered_at)} AS seconds_to_delivered,
  {seconds_between(results.source_at, messages.opened_at)} AS seconds_to_opened
FROM {relation(results)} AS results
LEFT JOIN {relation(messages)} AS messages ON messages.delivery_id = results.delivery_id
WHERE STARTS_WITH(results.operations, 'send_') AND results.delivery_id IS NOT NULL
