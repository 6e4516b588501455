-- One row for each input record, its replays included: what became of it in the end. `dead_reason` is that of the last
-- time it died; `source_at` is the record's own time, null where only results of its replays are loaded.
SELECT
  COALESCE(origin_topic, source_topic) AS topic,
  COALESCE(origin_partition, source_partition) AS partition_number,
  COALESCE(origin_offset, source_offset) AS record_offset,
  MAX(user_id) AS user_id,
  COUNT(*) AS results,
  COUNTIF(outcome = 'delivered') > 0 AS is_delivered,
  COUNTIF(outcome = 'dead') > 0 AS was_dead,
  COUNTIF(outcome IN ('duplicate', 'superseded', 'skipped')) > 0 AS was_left_out,
  MAX_BY(CASE WHEN outcome = 'dead' THEN reason END, CASE WHEN outcome = 'dead' THEN processed_at END) AS dead_reason,
  MIN(CASE WHEN origin_topic IS NULL THEN source_at END) AS source_at,
  MAX(processed_at) AS processed_at
FROM {relation(results)}
WHERE fault IS NULL
GROUP BY topic, partition_number, record_offset
