-- Every row once: what was read twice, or reported twice, has the same row_key, and the first one counts.
SELECT *
FROM {relation(webhooks_raw)}
{each_key_once()}
