# Workers, loader and the watch of dead letters: worker pools, for nobody calls them, they ask Kafka.

# With the autoscaler the number is its own: what it has set is read and kept.
data "google_cloud_run_v2_worker_pool" "scaled" {
  count = var.autoscaler.is_on ? 1 : 0

  name     = "${var.app_id}-worker"
  location = var.region
}

locals {
  found_workers = one(flatten(data.google_cloud_run_v2_worker_pool.scaled[*].scaling[*].manual_instance_count))
  workers       = min(local.useful_replicas, max(1, coalesce(local.found_workers, var.workers)))
}

resource "google_cloud_run_v2_worker_pool" "this" {
  for_each = { for name, program in local.programs : name => program if name != "receiver" }

  name                = "${var.app_id}-${each.key}"
  location            = var.region
  labels              = var.labels
  deletion_protection = var.deletion_protection

  scaling {
    manual_instance_count = each.key == "worker" ? local.workers : 1
  }

  template {
    labels          = { restart = var.restart }
    service_account = google_service_account.process[each.key].email

    containers {
      name  = each.key
      image = var.image
      args  = each.value.args

      dynamic "env" {
        for_each = local.env_of[each.key]
        content {
          name  = env.key
          value = env.value
        }
      }

      dynamic "volume_mounts" {
        for_each = local.secrets_of[each.key]
        content {
          name       = volume_mounts.key
          mount_path = "${local.secrets_folder}/${volume_mounts.key}"
        }
      }

      resources {
        limits = { cpu = "1", memory = "512Mi" }
      }

      startup_probe {
        period_seconds    = 5
        timeout_seconds   = 2
        failure_threshold = 24
        http_get {
          path = "/livez"
          port = local.port
        }
      }

      liveness_probe {
        period_seconds    = 10
        timeout_seconds   = 5
        failure_threshold = 3
        http_get {
          path = "/livez"
          port = local.port
        }
      }
    }

    dynamic "containers" {
      for_each = var.metrics_image[*]
      content {
        name       = "metrics"
        image      = containers.value
        depends_on = [each.key]
      }
    }

    dynamic "volumes" {
      for_each = local.secrets_of[each.key]
      content {
        name = volumes.key
        secret {
          secret       = google_secret_manager_secret.this[volumes.key].secret_id
          default_mode = 292 # 0444
          items {
            path    = local.secret_file
            version = volumes.key == "kafka-sasl-password" ? var.kafka.sasl_password_version : "latest"
          }
        }
      }
    }

    dynamic "vpc_access" {
      for_each = var.vpc_access[*]
      content {
        connector = vpc_access.value.connector
        egress    = vpc_access.value.egress

        dynamic "network_interfaces" {
          for_each = vpc_access.value.connector == null ? [vpc_access.value] : []
          content {
            network    = network_interfaces.value.network
            subnetwork = network_interfaces.value.subnetwork
          }
        }
      }
    }
  }

  # Cloud Run asks whether the account may read each secret before it starts anything, and the loader needs its tables.
  depends_on = [
    google_secret_manager_secret_iam_member.reader,
    google_bigquery_dataset_iam_member.loader,
    google_bigquery_table.this,
  ]
}
