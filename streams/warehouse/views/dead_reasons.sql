-- What the dead letters died of that nobody has mended.
SELECT
  topic,
  dead_reason AS reason,
  COUNT(*) AS dead
FROM {relation(record_outcomes)}
WHERE was_dead AND NOT is_delivered AND NOT was_left_out
GROUP BY topic, reason
