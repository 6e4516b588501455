-- What became of the messages of each campaign, broadcast, newsletter and transactional template. Each number counts
-- messages; `opened` and `clicked` are people's, the machines' columns count messages that only machines touched.
-- `unknown` are those whose webhooks name no such thing: mostly of kind `customer`, whose message was never reported.
SELECT
  kind,
  id,
  channel,
  COUNT(*) AS messages,
  COUNT(attempted_at) AS attempted,
  COUNT(deferred_at) AS deferred,
  COUNT(sent_at) AS sent,
  COUNT(delivered_at) AS delivered,
  COUNT(opened_at) AS opened,
  COUNTIF(opened_at IS NULL AND machine_opened_at IS NOT NULL) AS opened_by_machine,
  COUNT(clicked_at) AS clicked,
  COUNTIF(clicked_at IS NULL AND machine_clicked_at IS NOT NULL) AS clicked_by_machine,
  COUNT(replied_at) AS replied,
  COUNT(converted_at) AS converted,
  COUNT(bounced_at) AS bounced,
  COUNT(failed_at) AS failed,
  COUNT(spammed_at) AS spammed,
  COUNT(unsubscribed_at) AS unsubscribed
FROM (
  SELECT
    messages.*,
    CASE
      WHEN transactional_message_id IS NOT NULL THEN 'transactional'
      WHEN broadcast_id IS NOT NULL THEN 'broadcast'
      WHEN campaign_id IS NOT NULL THEN 'campaign'
      WHEN newsletter_id IS NOT NULL THEN 'newsletter'
      ELSE 'unknown'
    END AS kind,
    COALESCE(transactional_message_id, broadcast_id, campaign_id, newsletter_id) AS id
  FROM {relation(messages)} AS messages
) AS parented
GROUP BY kind, id, channel
