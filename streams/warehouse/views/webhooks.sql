-- Every row once: what was read twice, or reported twice, has the same row_key, and the first one counts.
SELECT *
FROM {relation(webhooks_raw)}
WHERE TRUE
QUALIFY
  ROW_NUMBER() OVER (
    PARTITION BY row_key
    ORDER BY received_at NULLS LAST, kafka_partition, kafka_offset, kafka_incarnation
  ) = 1
