# A few alerts in Cloud Monitoring, for those without a Prometheus: that has many more (deploy/prometheus/rules.yml).

locals {
  pages   = "https://github.com/customerio-streams/customerio-streams/blob/main/deploy"
  of_pool = "monitored_resource=\"cloud_run_worker_pool\",location=\"${var.region}\""

  # Cloud Run counts these by itself.
  cloud_run_alerts = merge(
    {
      "the webhook receiver fails" = {
        severity = "CRITICAL"
        minutes  = 5
        page     = "terraform/README.md#the-webhook-receiver-fails"
        says     = "Over 5 % of the webhooks are answered 5xx. Customer.io tries again, for hours; look whether Kafka can be reached."
        query    = <<-EOT
          sum(rate(run_googleapis_com:request_count{monitored_resource="cloud_run_revision",service_name="${google_cloud_run_v2_service.receiver.name}",response_code_class="5xx"}[5m]))
          / sum(rate(run_googleapis_com:request_count{monitored_resource="cloud_run_revision",service_name="${google_cloud_run_v2_service.receiver.name}"}[5m])) > 0.05
        EOT
      }
    },
    {
      for process, pool in google_cloud_run_v2_worker_pool.this : "no instance of ${process} runs" => {
        severity = "CRITICAL"
        minutes  = 10
        page     = "RUNBOOK.md#ciotargetdown"
        says     = "The pool ${pool.name} has no instance, or Cloud Run tells of none: look at its revisions and its log."
        query    = <<-EOT
          absent(run_googleapis_com:container_instance_count{${local.of_pool},worker_pool_name="${pool.name}"})
          or sum(run_googleapis_com:container_instance_count{${local.of_pool},worker_pool_name="${pool.name}"}) < 1
        EOT
      }
    },
  )

  # These need the sidecar.
  own_alerts = var.metrics_image == null ? {} : {
    "records wait too long" = {
      severity = "CRITICAL"
      minutes  = 10
      page     = "RUNBOOK.md#ciolaghigh"
      says     = "The oldest unfinished record is older than ${var.lag_seconds_max} s."
      query    = "max(cio_lag_seconds) > ${var.lag_seconds_max}"
    }
    "records become dead letters" = {
      severity = "WARNING"
      minutes  = 5
      page     = "RUNBOOK.md#ciodeadlettershare"
      says     = "Over 1 % of the records are set aside."
      query    = "sum(rate(cio_dead_letters_total[10m])) / sum(rate(cio_records_total[10m])) > 0.01"
    }
  }
}

resource "google_monitoring_alert_policy" "metrics" {
  for_each = merge(local.cloud_run_alerts, local.own_alerts)

  display_name          = "${var.app_id}: ${each.key}"
  combiner              = "OR"
  severity              = each.value.severity
  notification_channels = var.notification_channels
  user_labels           = var.labels

  conditions {
    display_name = each.key

    condition_prometheus_query_language {
      query                     = trimspace(each.value.query)
      duration                  = "${each.value.minutes * 60}s"
      evaluation_interval       = "60s"
      disable_metric_validation = true # nothing has been counted before the first start
    }
  }

  documentation {
    content   = "${each.value.says}\n\n${local.pages}/${each.value.page}"
    mime_type = "text/markdown"
  }
}

# By the log, for this needs no sidecar, and every hour counts.
resource "google_monitoring_alert_policy" "credentials_refused" {
  display_name          = "${var.app_id}: Customer.io refuses the credentials"
  combiner              = "OR"
  severity              = "CRITICAL"
  notification_channels = var.notification_channels
  user_labels           = var.labels

  conditions {
    display_name = "a worker holds its requests"

    condition_matched_log {
      filter = <<-EOT
        resource.type="cloud_run_worker_pool"
        resource.labels.worker_pool_name="${google_cloud_run_v2_worker_pool.this["worker"].name}"
        jsonPayload.event="Customer.io is held"
        jsonPayload.reason="credentials"
      EOT
    }
  }

  alert_strategy {
    auto_close = "3600s"

    notification_rate_limit {
      period = "900s"
    }
  }

  documentation {
    content   = "Work is held, nothing is lost; it goes on seconds after a good key is in Secret Manager.\n\n${local.pages}/RUNBOOK.md#ciocredentialsrefused"
    mime_type = "text/markdown"
  }
}
