-- What could not be read, or is odd, of all that was loaded.
SELECT 'webhooks' AS source, COUNT(*) AS loaded, COUNTIF(fault IS NOT NULL) AS unreadable, COUNTIF(is_stale) AS stale
FROM {relation(webhooks)}
UNION ALL
SELECT 'results' AS source, COUNT(*) AS loaded, COUNTIF(fault IS NOT NULL) AS unreadable, 0 AS stale
FROM {relation(results)}
