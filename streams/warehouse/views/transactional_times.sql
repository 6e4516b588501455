-- The transactional messages by their template, `id`; without one where no webhook has come yet.
SELECT
  transactional_message_id AS id,
  operations,
  COUNT(*) AS accepted,
  COUNT(delivered_at) AS delivered,
  COUNT(opened_at) AS opened,
  COUNT(clicked_at) AS clicked,
  COUNT(bounced_at) AS bounced,
  COUNT(failed_at) AS failed,
  {quantile(seconds_to_delivered, 50)} AS delivered_half_s,
  {quantile(seconds_to_opened, 50)} AS opened_half_s
FROM {relation(transactional_sends)}
GROUP BY id, operations
