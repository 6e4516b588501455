# Where everything is put, and how much of it. What Kafka and Customer.io need is in variables_systems.tf.

variable "project_id" {
  description = "The Google Cloud project that everything is put into."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{4,28}[a-z0-9]$", var.project_id))
    error_message = "project_id is malformed: 6 to 30 lower-case letters, digits and hyphens, as `gcloud projects list` shows it."
  }
}

variable "region" {
  description = "The region of Cloud Run; best near Kafka."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z]+-[a-z]+[0-9]+$", var.region))
    error_message = "region is malformed: for example europe-west1."
  }
}

variable "environment" {
  description = "Which environment this is; names of service accounts have it."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,10}[a-z0-9]$", var.environment))
    error_message = "environment is malformed: 3 to 12 lower-case letters, digits and hyphens, for example dev."
  }
}

variable "image" {
  description = "The image of customerio-streams, by digest or by a tag of its own."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[^\\s:@]+(:[0-9]+)?/[^\\s:@]+(@sha256:[0-9a-f]{64}|:[A-Za-z0-9_][A-Za-z0-9_.-]*)$", var.image)) && !endswith(var.image, ":latest")
    error_message = "image needs a digest (…@sha256:…) or a tag other than latest, so that each revision says what it runs."
  }
}

variable "workers" {
  description = "How many workers run; with the autoscaler, how many at first."
  type        = number
  default     = 2
  nullable    = false

  validation {
    condition     = var.workers == floor(var.workers) && var.workers >= 1
    error_message = "workers is a whole number, at least 1."
  }

  validation {
    condition     = var.workers <= local.useful_replicas
    error_message = "workers is more than are of use: ${local.useful_replicas}, for partitions, track_rate_per_s and at most ${local.replicas_max}."
  }
}

variable "partitions" {
  description = "Partitions of each topic: TOPIC_PARTITIONS when they were created. More workers would stand idle."
  type        = number
  default     = 12
  nullable    = false

  validation {
    condition     = var.partitions == floor(var.partitions) && var.partitions >= 1 && var.partitions <= 10000
    error_message = "partitions is a whole number from 1 to 10000."
  }
}

variable "restart" {
  description = "Another text restarts everything, one revision after the other: for what is read at the start only, as Kafka's certificates."
  type        = string
  default     = "first"
  nullable    = false

  validation {
    condition     = can(regex("^[a-z0-9]([a-z0-9_-]{0,61}[a-z0-9])?$", var.restart))
    error_message = "restart is 1 to 63 lower-case letters, digits, hyphens and underscores, for example 2026-11-24."
  }
}

variable "receiver_instances" {
  description = "How many webhook receivers run: at least, and at most."
  type = object({
    min = optional(number, 1)
    max = optional(number, 10)
  })
  default  = {}
  nullable = false

  validation {
    condition     = var.receiver_instances.min >= 1 && var.receiver_instances.min <= var.receiver_instances.max && var.receiver_instances.max <= 10
    error_message = "receiver_instances: 1 <= min <= max <= 10; with none, the first webhook would wait for a start."
  }
}

variable "autoscaler" {
  description = "Google's autoscaler for worker pools (CREMA), on Kafka's lag; switch it on once the pool exists. `lag` is how many records one worker may be behind."
  type = object({
    is_on      = optional(bool, false)
    lag        = optional(number, 1000)
    image      = optional(string, "us-central1-docker.pkg.dev/cloud-run-oss-images/crema-v1/autoscaler:1.2")
    base_image = optional(string, "us-central1-docker.pkg.dev/serverless-runtimes/google-24/runtimes/java25")
  })
  default  = {}
  nullable = false

  validation {
    condition     = var.autoscaler.lag >= 1
    error_message = "autoscaler.lag is at least 1 record."
  }
}

variable "vpc_access" {
  description = "How Kafka is reached in a private network: a `connector`, or a `network` with `subnetwork` (direct egress). Null: over the internet."
  type = object({
    connector  = optional(string)
    network    = optional(string)
    subnetwork = optional(string)
    egress     = optional(string, "PRIVATE_RANGES_ONLY")
  })
  default = null

  validation {
    condition     = var.vpc_access == null || try((var.vpc_access.connector == null) != (var.vpc_access.network == null && var.vpc_access.subnetwork == null), false)
    error_message = "vpc_access: give a connector, or network and subnetwork, not both."
  }

  validation {
    condition     = var.vpc_access == null || try(contains(["PRIVATE_RANGES_ONLY", "ALL_TRAFFIC"], var.vpc_access.egress), false)
    error_message = "vpc_access.egress is PRIVATE_RANGES_ONLY or ALL_TRAFFIC."
  }
}

variable "dataset_location" {
  description = "Where the warehouse's data may lie, for example EU; it cannot be changed afterwards."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^(EU|US|[a-z]+-[a-z]+[0-9]+)$", var.dataset_location))
    error_message = "dataset_location is EU, US or a region such as europe-west1."
  }
}

variable "notification_channels" {
  description = "Who is told of an alert: ids of Cloud Monitoring's notification channels."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for channel in var.notification_channels : can(regex("^projects/[^/]+/notificationChannels/[^/]+$", channel))])
    error_message = "notification_channels are full names: projects/PROJECT/notificationChannels/ID."
  }
}

variable "metrics_image" {
  description = "Google's Prometheus sidecar, for example us-docker.pkg.dev/cloud-ops-agents-artifacts/cloud-run-gmp-sidecar/cloud-run-gmp-sidecar:1.7.0; with it the alerts on our own metrics are made. Null: none."
  type        = string
  default     = null

  validation {
    condition     = var.metrics_image == null || (can(regex("(:|@sha256:)[^:/]+$", var.metrics_image)) && !endswith(coalesce(var.metrics_image, "none"), ":latest"))
    error_message = "metrics_image needs a tag other than latest, or a digest."
  }
}

variable "lag_seconds_max" {
  description = "How old the oldest unfinished record may be before somebody is told."
  type        = number
  default     = 300
  nullable    = false

  validation {
    condition     = var.lag_seconds_max > 0
    error_message = "lag_seconds_max is above 0."
  }
}

variable "deletion_protection" {
  description = "Whether Terraform refuses to delete what runs, the secrets and the tables."
  type        = bool
  default     = true
  nullable    = false
}

variable "labels" {
  description = "Labels for everything that takes some."
  type        = map(string)
  default     = {}
  nullable    = false

  validation {
    condition     = alltrue([for key, value in var.labels : can(regex("^[a-z][a-z0-9_-]{0,62}$", key)) && can(regex("^[a-z0-9_-]{0,63}$", value))])
    error_message = "labels are lower-case letters, digits, hyphens and underscores, at most 63 of them."
  }
}
