-- The messages by the day (UTC) on which they were first heard of.
SELECT
  CAST(first_at AS DATE) AS day,
  COUNT(*) AS messages,
  COUNT(delivered_at) AS delivered,
  COUNT(opened_at) AS opened,
  COUNT(clicked_at) AS clicked,
  COUNT(bounced_at) AS bounced
FROM {relation(messages)}
WHERE first_at IS NOT NULL
GROUP BY day
