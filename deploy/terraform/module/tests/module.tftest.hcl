# What the module makes of its variables; no cloud is asked. `terraform init -backend=false && terraform test` runs it.

mock_provider "google" {
  # The provider looks at the form of these; without, a mock makes up any text.
  mock_resource "google_service_account" {
    defaults = {
      email  = "cio-dev@shop-dev.iam.gserviceaccount.com"
      member = "serviceAccount:cio-dev@shop-dev.iam.gserviceaccount.com"
      name   = "projects/shop-dev/serviceAccounts/cio-dev@shop-dev.iam.gserviceaccount.com"
    }
  }
}

variables {
  project_id        = "shop-dev"
  region            = "europe-west1"
  environment       = "dev"
  app_id            = "customerio-streams-dev"
  topic_prefix      = "dev."
  image             = "europe-west1-docker.pkg.dev/shop-dev/images/customerio-streams:0.1.0"
  customerio_region = "eu"
  dataset_location  = "EU"
  kafka = {
    bootstrap_servers = "kafka-1:9093,kafka-2:9093"
    sasl_username     = "customerio-streams"
  }
}

run "processes" {
  assert {
    condition     = toset(keys(google_cloud_run_v2_worker_pool.this)) == toset(["worker", "warehouse", "dlq-watch"])
    error_message = "There is a pool for each process that reads Kafka."
  }

  assert {
    condition     = google_cloud_run_v2_worker_pool.this["warehouse"].scaling[0].manual_instance_count == 1 && google_cloud_run_v2_worker_pool.this["dlq-watch"].scaling[0].manual_instance_count == 1
    error_message = "The loader and the watch run once."
  }

  assert {
    condition     = google_cloud_run_v2_worker_pool.this["worker"].template[0].containers[0].resources[0].limits == tomap({ cpu = "1", memory = "512Mi" })
    error_message = "A worker has 1 cpu and 512 Mi."
  }

  assert {
    condition     = { for env in google_cloud_run_v2_worker_pool.this["worker"].template[0].containers[0].env : env.name => env.value }["CUSTOMERIO_SITE_ID_FILE"] == "/run/secrets/customerio/customerio-site-id/value"
    error_message = "A secret is given as a file."
  }

  assert {
    condition     = { for env in google_cloud_run_v2_service.receiver.template[0].containers[0].env : env.name => env.value }["WEBHOOK_PORT"] == tostring(google_cloud_run_v2_service.receiver.template[0].containers[0].ports[0].container_port)
    error_message = "The receiver listens where Cloud Run sends its requests."
  }

  assert {
    condition     = google_cloud_run_v2_service.receiver.template[0].scaling[0].min_instance_count == 1 && google_cloud_run_v2_service.receiver.template[0].scaling[0].max_instance_count == 10
    error_message = "1 to 10 receivers run."
  }
}

run "least_privilege" {
  assert {
    condition = toset(keys(google_secret_manager_secret_iam_member.reader)) == toset([
      "customerio-site-id/worker", "customerio-track-api-key/worker", "customerio-app-api-key/worker",
      "customerio-webhook-signing-key/receiver",
      "kafka-sasl-password/receiver", "kafka-sasl-password/worker", "kafka-sasl-password/warehouse", "kafka-sasl-password/dlq-watch",
    ])
    error_message = "Each process reads its own secrets, and no others."
  }

  assert {
    condition     = length(google_service_account.process) == 4
    error_message = "Each process has an account of its own."
  }

  assert {
    condition     = length(google_project_iam_member.sidecar) == 0
    error_message = "Without the sidecar nobody writes metrics."
  }
}

run "every_option" {
  variables {
    has_app_api   = false
    workers       = 1
    partitions    = 3
    metrics_image = "us-docker.pkg.dev/cloud-ops-agents-artifacts/cloud-run-gmp-sidecar/cloud-run-gmp-sidecar:1.7.0"
    autoscaler    = { is_on = true }
    vpc_access    = { network = "kafka", subnetwork = "kafka-europe-west1" }
    settings      = { LOG_LEVEL = "debug" }
    kafka = {
      bootstrap_servers      = "kafka-1:9093"
      sasl_username          = "customerio-streams"
      sasl_password_version  = "2"
      has_ca                 = true
      has_client_certificate = true
      has_key_password       = true
    }
  }

  assert {
    condition     = !contains(keys(google_secret_manager_secret.this), "customerio-app-api-key")
    error_message = "Without the App API there is no secret for it: a pool with a secret without a version is not started."
  }

  assert {
    condition     = local.scaler_config.spec.scaledObjects[0].spec.maxReplicaCount == 3
    error_message = "The autoscaler makes no more workers than there are partitions."
  }

  assert {
    condition     = one([for volume in google_cloud_run_v2_worker_pool.this["warehouse"].template[0].volumes : volume.secret[0].items[0].version if volume.name == "kafka-sasl-password"]) == "2"
    error_message = "The password's version can be named, so that another one restarts what runs."
  }

  assert {
    condition     = length(google_cloud_run_v2_service.receiver.template[0].containers) == 2 && contains(keys(google_monitoring_alert_policy.metrics), "records wait too long")
    error_message = "With the sidecar come the alerts on our own metrics."
  }
}

run "useful_replicas_follow_the_rate" {
  variables {
    track_rate_per_s = 30
  }

  assert {
    condition     = output.useful_replicas == 3
    error_message = "One worker for every 10 requests a second."
  }
}

run "too_many_workers" {
  command = plan

  variables {
    workers    = 4
    partitions = 3
  }

  expect_failures = [var.workers]
}

run "an_image_that_may_change" {
  command = plan

  variables {
    image = "europe-west1-docker.pkg.dev/shop-dev/images/customerio-streams:latest"
  }

  expect_failures = [var.image]
}

run "a_secret_among_the_settings" {
  command = plan

  variables {
    settings = { CUSTOMERIO_TRACK_API_KEY = "not here" }
  }

  expect_failures = [var.settings]
}

run "sasl_without_a_user" {
  command = plan

  variables {
    kafka = { bootstrap_servers = "kafka-1:9093" }
  }

  expect_failures = [var.kafka]
}

run "two_ways_into_the_network" {
  command = plan

  variables {
    vpc_access = { connector = "kafka", network = "kafka" }
  }

  expect_failures = [var.vpc_access]
}
