# What differs from one owner to the next; the module says what each may be.

variable "project_id" {
  description = "The Google Cloud project of this environment; best one of its own."
  type        = string
}

variable "region" {
  description = "The region of Cloud Run; best near Kafka."
  type        = string
}

variable "dataset_location" {
  description = "Where the warehouse's data may lie, for example EU."
  type        = string
}

variable "image" {
  description = "The image of customerio-streams, by digest or by a tag of its own."
  type        = string
}

variable "customerio_region" {
  description = "Where this environment's workspace at Customer.io is: us or eu."
  type        = string
}

variable "kafka" {
  description = "How Kafka is reached; see the module."
  type = object({
    bootstrap_servers      = string
    security_protocol      = optional(string)
    sasl_mechanism         = optional(string)
    sasl_username          = optional(string)
    sasl_password_version  = optional(string)
    has_ca                 = optional(bool)
    has_client_certificate = optional(bool)
    has_key_password       = optional(bool)
  })
}

variable "vpc_access" {
  description = "How Kafka is reached in a private network; null: over the internet. See the module."
  type = object({
    connector  = optional(string)
    network    = optional(string)
    subnetwork = optional(string)
    egress     = optional(string)
  })
  default = null
}

variable "notification_channels" {
  description = "Who is told of an alert: projects/PROJECT/notificationChannels/ID."
  type        = list(string)
  default     = []
}

variable "restart" {
  description = "Another text restarts everything; see the module."
  type        = string
  default     = "first"
}

variable "is_autoscaled" {
  description = "Whether Google's autoscaler sets the number of workers; after the first apply."
  type        = bool
  default     = false
}
