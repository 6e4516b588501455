# Production.

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

  environment  = "prod"
  app_id       = "customerio-streams-prod"
  topic_prefix = "prod."

  project_id        = var.project_id
  region            = var.region
  dataset_location  = var.dataset_location
  image             = var.image
  kafka             = var.kafka
  customerio_region = var.customerio_region
  vpc_access        = var.vpc_access

  workers            = 4
  receiver_instances = { min = 1, max = 10 }
  track_rate_per_s   = 100
  autoscaler         = { is_on = var.is_autoscaled }
  restart            = var.restart

  notification_channels = var.notification_channels
  deletion_protection   = true
  labels                = { app = "customerio-streams", environment = "prod" }
}
