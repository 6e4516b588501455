-- How long it takes from a domain event (Kafka's time of it) to what became of its messages, in seconds.
SELECT
  campaign_id,
  joined_by,
  COUNT(*) AS messages,
  COUNT(seconds_to_delivered) AS delivered,
  {quantile(seconds_to_delivered, 50)} AS delivered_half_s,
  {quantile(seconds_to_delivered, 90)} AS delivered_most_s,
  COUNT(seconds_to_opened) AS opened,
  {quantile(seconds_to_opened, 50)} AS opened_half_s,
  {quantile(seconds_to_opened, 90)} AS opened_most_s,
  COUNT(seconds_to_clicked) AS clicked,
  {quantile(seconds_to_clicked, 50)} AS clicked_half_s,
  {quantile(seconds_to_clicked, 90)} AS clicked_most_s
FROM {relation(event_messages)}
GROUP BY campaign_id, joined_by
