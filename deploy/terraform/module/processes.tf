# What runs, with which settings and which secrets: the resources in receiver.tf, pools.tf and secrets.tf follow from this.

locals {
  # Google's Prometheus sidecar looks at this port by itself, so every process listens on it here.
  port = 8080

  # Cloud Run mounts each secret into a folder of its own; the file is fetched from Secret Manager whenever it is read.
  secrets_folder = "/run/secrets/customerio"
  secret_file    = "value"

  # As the metric cio_useful_replicas has it: a worker for each partition, and one for every 10 requests a second.
  worker_rate_per_s = 10
  replicas_max      = 10
  useful_replicas   = max(1, min(local.replicas_max, var.partitions, floor(var.track_rate_per_s / local.worker_rate_per_s)))

  has_sasl = startswith(var.kafka.security_protocol, "SASL")

  shared_settings = merge(
    {
      KAFKA_BOOTSTRAP_SERVERS = var.kafka.bootstrap_servers
      KAFKA_SECURITY_PROTOCOL = var.kafka.security_protocol
      APP_ID                  = var.app_id
      TOPIC_PREFIX            = var.topic_prefix
      CUSTOMERIO_REGION       = var.customerio_region
      TRACK_RATE_PER_S        = tostring(var.track_rate_per_s)
      HTTP_HOST               = "0.0.0.0"
      LOG_FORMAT              = "json"
      # Cloud Run kills 10 seconds after SIGTERM, and a worker may need 10 seconds more than this.
      DRAIN_S = "2"
    },
    local.has_sasl ? {
      KAFKA_SASL_MECHANISM = var.kafka.sasl_mechanism
      KAFKA_SASL_USERNAME  = var.kafka.sasl_username
    } : {},
    var.settings,
  )

  # What has its own place here may not come in var.settings as well. The last two are names that Cloud Run gives.
  taken_settings = toset(concat(
    [
      "KAFKA_BOOTSTRAP_SERVERS", "KAFKA_SECURITY_PROTOCOL", "KAFKA_SASL_MECHANISM", "KAFKA_SASL_USERNAME", "APP_ID",
      "TOPIC_PREFIX", "CUSTOMERIO_REGION", "TRACK_RATE_PER_S", "HTTP_HOST", "HTTP_PORT", "WEBHOOK_HOST", "WEBHOOK_PORT",
      "WAREHOUSE", "WAREHOUSE_PORT", "DLQ_WATCH_PORT", "PORT", "K_SERVICE",
    ],
    flatten([for secret in local.known_secrets : [secret.setting, trimsuffix(secret.setting, "_FILE")]]),
  ))

  # One image, one program each; the receiver is a service, the others are pools.
  programs = {
    receiver = {
      args     = ["webhooks"]
      settings = { WEBHOOK_HOST = "0.0.0.0", WEBHOOK_PORT = tostring(local.port) }
    }
    worker = {
      args     = ["worker"]
      settings = { HTTP_PORT = tostring(local.port) }
    }
    warehouse = {
      args     = ["warehouse"]
      settings = { WAREHOUSE = "bigquery:${var.project_id}.${local.dataset}", WAREHOUSE_PORT = tostring(local.port) }
    }
    dlq-watch = {
      args     = ["dlq", "watch"]
      settings = { DLQ_WATCH_PORT = tostring(local.port) }
    }
  }
  dataset = replace(var.app_id, "-", "_")

  processes = toset(keys(local.programs))
  accounts  = setunion(local.processes, var.autoscaler.is_on ? ["autoscaler"] : [])

  # `setting` is where a process looks for the path of the file, `readers` are who may read it, and nobody else may.
  known_secrets = {
    customerio-site-id             = { setting = "CUSTOMERIO_SITE_ID_FILE", readers = ["worker"], is_there = true }
    customerio-track-api-key       = { setting = "CUSTOMERIO_TRACK_API_KEY_FILE", readers = ["worker"], is_there = true }
    customerio-app-api-key         = { setting = "CUSTOMERIO_APP_API_KEY_FILE", readers = ["worker"], is_there = var.has_app_api }
    customerio-webhook-signing-key = { setting = "CUSTOMERIO_WEBHOOK_SIGNING_KEY_FILE", readers = ["receiver"], is_there = true }
    kafka-sasl-password            = { setting = "KAFKA_SASL_PASSWORD_FILE", readers = local.accounts, is_there = local.has_sasl }
    kafka-ssl-ca                   = { setting = "KAFKA_SSL_CA_LOCATION", readers = local.accounts, is_there = var.kafka.has_ca }
    kafka-ssl-certificate          = { setting = "KAFKA_SSL_CERTIFICATE_LOCATION", readers = local.accounts, is_there = var.kafka.has_client_certificate }
    kafka-ssl-key                  = { setting = "KAFKA_SSL_KEY_LOCATION", readers = local.accounts, is_there = var.kafka.has_client_certificate }
    kafka-ssl-key-password         = { setting = "KAFKA_SSL_KEY_PASSWORD_FILE", readers = local.accounts, is_there = var.kafka.has_key_password }
  }
  secrets = { for name, secret in local.known_secrets : name => secret if secret.is_there }

  # By process: the secrets that it reads.
  secrets_of = {
    for process in local.processes : process => {
      for name, secret in local.secrets : name => secret if contains(secret.readers, process)
    }
  }

  # By process: everything in its environment.
  env_of = {
    for process, program in local.programs : process => merge(
      local.shared_settings,
      program.settings,
      { for name, secret in local.secrets_of[process] : secret.setting => "${local.secrets_folder}/${name}/${local.secret_file}" },
    )
  }
}
