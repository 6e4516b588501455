-- Dead letters against deliveries, by topic. `mended` were dead once, and delivered or left out when they were replayed.
SELECT
  topic,
  COUNT(*) AS records,
  COUNTIF(is_delivered) AS delivered,
  COUNTIF(was_left_out AND NOT is_delivered) AS left_out,
  COUNTIF(was_dead) AS died,
  COUNTIF(was_dead AND (is_delivered OR was_left_out)) AS mended,
  COUNTIF(was_dead AND NOT is_delivered AND NOT was_left_out) AS dead,
  COUNTIF(was_dead AND NOT is_delivered AND NOT was_left_out) / COUNT(*) AS dead_share
FROM {relation(record_outcomes)}
GROUP BY topic
