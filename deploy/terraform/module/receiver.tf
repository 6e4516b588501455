# The webhook receiver: a service, for Customer.io calls it.

resource "google_cloud_run_v2_service" "receiver" {
  name                = "${var.app_id}-receiver"
  location            = var.region
  labels              = var.labels
  ingress             = "INGRESS_TRAFFIC_ALL"
  deletion_protection = var.deletion_protection

  template {
    labels                           = { restart = var.restart }
    service_account                  = google_service_account.process["receiver"].email
    timeout                          = "30s"
    max_instance_request_concurrency = 80

    scaling {
      min_instance_count = var.receiver_instances.min
      max_instance_count = var.receiver_instances.max
    }

    containers {
      name  = "receiver"
      image = var.image
      args  = local.programs["receiver"].args

      ports {
        container_port = local.port
      }

      dynamic "env" {
        for_each = local.env_of["receiver"]
        content {
          name  = env.key
          value = env.value
        }
      }

      dynamic "volume_mounts" {
        for_each = local.secrets_of["receiver"]
        content {
          name       = volume_mounts.key
          mount_path = "${local.secrets_folder}/${volume_mounts.key}"
        }
      }

      resources {
        limits   = { cpu = "1", memory = "512Mi" }
        cpu_idle = false # Kafka's client works between requests
      }

      # Alive, not ready: while Kafka is away the receiver's own 503 is tried again soon, a 5xx of Cloud Run's in an hour.
      startup_probe {
        period_seconds    = 2
        timeout_seconds   = 2
        failure_threshold = 30
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
        depends_on = ["receiver"]
      }
    }

    dynamic "volumes" {
      for_each = local.secrets_of["receiver"]
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

  # Cloud Run asks whether the account may read each secret before it starts anything.
  depends_on = [google_secret_manager_secret_iam_member.reader]
}

# Customer.io has no Google account. What is not signed by it is answered 401.
resource "google_cloud_run_v2_service_iam_member" "anybody" {
  name     = google_cloud_run_v2_service.receiver.name
  location = google_cloud_run_v2_service.receiver.location
  role     = "roles/run.invoker"
  member   = "allUsers"
}
