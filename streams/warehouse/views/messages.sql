-- One row for each message to one person (a delivery), with the first time of everything that was reported of it.
-- An open counts as a person's unless a machine fetched ahead; one that was concluded from a click counts as that click
-- does. So a person's click is a person's open, too. `attempted_at` and `deferred_at` are of tries that went before.
-- Of a message may be known no more than what its person did about it, of kind `customer`: it has no channel then, and no
-- campaign where the webhook names none.
SELECT
  delivery_id,
  MAX(CASE WHEN object_type <> 'customer' THEN object_type END) AS channel,
  MAX(person_id) AS person_id,
  MAX(campaign_id) AS campaign_id,
  MAX(broadcast_id) AS broadcast_id,
  MAX(newsletter_id) AS newsletter_id,
  MAX(transactional_message_id) AS transactional_message_id,
  MAX(trigger_id) AS trigger_id,
  MAX(trigger_event_id) AS trigger_event_id,
  MIN(happened_at) AS first_at,
  MIN(CASE WHEN metric = 'attempted' THEN happened_at END) AS attempted_at,
  MIN(CASE WHEN metric = 'deferred' THEN happened_at END) AS deferred_at,
  MIN(CASE WHEN metric = 'sent' THEN happened_at END) AS sent_at,
  MIN(CASE WHEN metric = 'delivered' THEN happened_at END) AS delivered_at,
  MIN(
    CASE
      WHEN metric = 'opened' AND NOT COALESCE(is_prefetched, FALSE) AND NOT COALESCE(is_synthetic, FALSE) THEN happened_at
      WHEN metric = 'clicked' AND NOT COALESCE(is_machine, FALSE) THEN happened_at
    END
  ) AS opened_at,
  MIN(
    CASE
      WHEN metric = 'opened' AND (COALESCE(is_prefetched, FALSE) OR COALESCE(is_synthetic, FALSE)) THEN happened_at
    END
  ) AS machine_opened_at,
  MIN(CASE WHEN metric = 'clicked' AND NOT COALESCE(is_machine, FALSE) THEN happened_at END) AS clicked_at,
  MIN(CASE WHEN metric = 'clicked' AND COALESCE(is_machine, FALSE) THEN happened_at END) AS machine_clicked_at,
  MIN(CASE WHEN metric = 'replied' THEN happened_at END) AS replied_at,
  MIN(CASE WHEN metric = 'converted' THEN happened_at END) AS converted_at,
  MIN(CASE WHEN metric = 'bounced' THEN happened_at END) AS bounced_at,
  MIN(CASE WHEN metric IN ('dropped', 'failed', 'undeliverable') THEN happened_at END) AS failed_at,
  MIN(CASE WHEN metric = 'spammed' THEN happened_at END) AS spammed_at,
  MIN(CASE WHEN metric = 'unsubscribed' THEN happened_at END) AS unsubscribed_at,
  COUNT(*) AS webhooks
FROM {relation(webhooks)}
WHERE delivery_id IS NOT NULL
GROUP BY delivery_id
