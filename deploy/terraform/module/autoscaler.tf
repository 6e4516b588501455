# Google's autoscaler for worker pools (CREMA): asks Kafka for the lag and sets the number of workers. Off by default.
# https://github.com/GoogleCloudPlatform/cloud-run-external-metrics-autoscaling

locals {
  autoscaler = var.autoscaler.is_on ? { this = var.autoscaler } : {}

  # What the scaler calls Kafka's settings, and the secrets it reads.
  scaler_sasl = { PLAIN = "plaintext", SCRAM-SHA-256 = "scram_sha256", SCRAM-SHA-512 = "scram_sha512" }
  scaler_secrets = merge(
    local.has_sasl ? { username = "kafka-sasl-username", password = "kafka-sasl-password" } : {},
    var.kafka.has_ca ? { ca = "kafka-ssl-ca" } : {},
    var.kafka.has_client_certificate ? { cert = "kafka-ssl-certificate", key = "kafka-ssl-key" } : {},
    var.kafka.has_key_password ? { keyPassword = "kafka-ssl-key-password" } : {},
  )

  scaler_config = {
    apiVersion = "crema/v1"
    kind       = "CremaConfig"
    spec = {
      pollingInterval = 30
      triggerAuthentications = [{
        metadata = { name = "kafka" }
        spec = {
          gcpSecretManager = {
            secrets = [for parameter, secret in local.scaler_secrets : {
              parameter = parameter
              id        = "${var.app_id}-${secret}"
              version   = secret == "kafka-sasl-password" ? var.kafka.sasl_password_version : "latest"
            }]
          }
        }
      }]
      scaledObjects = [{
        spec = {
          scaleTargetRef  = { name = "projects/${var.project_id}/locations/${var.region}/workerpools/${var.app_id}-worker" }
          minReplicaCount = 1
          maxReplicaCount = local.useful_replicas
          triggers = [{
            type = "kafka"
            name = "lag"
            # Without a topic: all that the group reads.
            metadata = {
              bootstrapServers  = var.kafka.bootstrap_servers
              consumerGroup     = var.app_id
              lagThreshold      = tostring(var.autoscaler.lag)
              offsetResetPolicy = "earliest"
              sasl              = local.has_sasl ? local.scaler_sasl[var.kafka.sasl_mechanism] : "none"
              tls               = endswith(var.kafka.security_protocol, "SSL") ? "enable" : "disable"
            }
            authenticationRef = { name = "kafka" }
          }]
          # Each change moves partitions, so there are few.
          advanced = { horizontalPodAutoscalerConfig = { behavior = {
            scaleUp   = { stabilizationWindowSeconds = 60 }
            scaleDown = { stabilizationWindowSeconds = 600 }
          } } }
        }
      }]
    }
  }
}

resource "google_parameter_manager_parameter" "autoscaler" {
  for_each = local.autoscaler

  parameter_id = "${var.app_id}-autoscaler"
  format       = "YAML"
  labels       = var.labels
}

# A version cannot be changed, so each content is one of its own.
resource "google_parameter_manager_parameter_version" "autoscaler" {
  for_each = local.autoscaler

  parameter            = google_parameter_manager_parameter.autoscaler[each.key].id
  parameter_version_id = "v-${substr(sha256(yamlencode(local.scaler_config)), 0, 12)}"
  parameter_data       = yamlencode(local.scaler_config)

  lifecycle {
    create_before_destroy = true
  }
}

# The scaler takes the user's name from a secret only; it is none, and may be in the state.
resource "google_secret_manager_secret" "scaler_username" {
  for_each = local.has_sasl ? local.autoscaler : {}

  secret_id = "${var.app_id}-kafka-sasl-username"
  labels    = var.labels

  replication {
    auto {}
  }
}

resource "google_secret_manager_secret_version" "scaler_username" {
  for_each = google_secret_manager_secret.scaler_username

  secret      = each.value.id
  secret_data = var.kafka.sasl_username
}

resource "google_secret_manager_secret_iam_member" "scaler_username" {
  for_each = google_secret_manager_secret.scaler_username

  secret_id = each.value.id
  role      = "roles/secretmanager.secretAccessor"
  member    = google_service_account.process["autoscaler"].member
}

resource "google_project_iam_member" "scaler_parameters" {
  for_each = local.autoscaler

  project = var.project_id
  role    = "roles/parametermanager.parameterViewer"
  member  = google_service_account.process["autoscaler"].member
}

# It may change the workers' pool, no other, and start what runs as the workers' account.
resource "google_cloud_run_v2_worker_pool_iam_member" "scaler" {
  for_each = local.autoscaler

  name     = google_cloud_run_v2_worker_pool.this["worker"].name
  location = var.region
  role     = "roles/run.developer"
  member   = google_service_account.process["autoscaler"].member
}

resource "google_service_account_iam_member" "scaler" {
  for_each = local.autoscaler

  service_account_id = google_service_account.process["worker"].name
  role               = "roles/iam.serviceAccountUser"
  member             = google_service_account.process["autoscaler"].member
}

resource "google_cloud_run_v2_service" "autoscaler" {
  for_each = local.autoscaler

  name                = "${var.app_id}-autoscaler"
  location            = var.region
  labels              = merge(var.labels, { created-by = "crema" })
  ingress             = "INGRESS_TRAFFIC_INTERNAL_ONLY"
  deletion_protection = false # it can be made again at any time

  template {
    service_account = google_service_account.process["autoscaler"].email

    scaling {
      min_instance_count = 1
      max_instance_count = 1
    }

    containers {
      name           = "autoscaler"
      image          = each.value.image
      base_image_uri = each.value.base_image

      dynamic "env" {
        for_each = {
          CREMA_CONFIG          = google_parameter_manager_parameter_version.autoscaler[each.key].name
          OUTPUT_SCALER_METRICS = "False"
          ENABLE_CLOUD_LOGGING  = "False"
        }
        content {
          name  = env.key
          value = env.value
        }
      }

      resources {
        limits   = { cpu = "1", memory = "512Mi" }
        cpu_idle = false # it asks by itself, nobody calls it
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

  depends_on = [
    google_project_iam_member.scaler_parameters,
    google_secret_manager_secret_iam_member.reader,
    google_secret_manager_secret_iam_member.scaler_username,
  ]
}
