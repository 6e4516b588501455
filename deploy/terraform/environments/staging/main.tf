# Staging: as production, but small; may be deleted.

terraform {
  required_version = ">= 1.11"

  required_providers {
    google = {
      source  = "hashicorp/google"
      version = ">= 7.45, < 8.0"
    }
  }

  # Its bucket and prefix come from a file of yours: terraform init -backend-config=backend.gcs.tfbackend
  backend "gcs" {}
}

provider "google" {
  project = var.project_id
  region  = var.region
}

module "customerio_streams" {
  source = "../../module"

  environment  = "staging"
  app_id       = "customerio-streams-staging"
  topic_prefix = "staging."

  project_id        = var.project_id
  region            = var.region
  dataset_location  = var.dataset_location
  image             = var.image
  kafka             = var.kafka
  customerio_region = var.customerio_region
  vpc_access        = var.vpc_access

  workers            = 2
  receiver_instances = { min = 1, max = 4 }
  track_rate_per_s   = 30 # Customer.io counts by workspace, but a test needs no more
  autoscaler         = { is_on = var.is_autoscaled }
  restart            = var.restart

  notification_channels = var.notification_channels
  deletion_protection   = false
  labels                = { app = "customerio-streams", environment = "staging" }
}
