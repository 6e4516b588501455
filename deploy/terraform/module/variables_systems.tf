# Kafka and Customer.io: what is no secret. Secrets are put into Secret Manager, never into a variable.

variable "app_id" {
  description = "APP_ID: the consumer group, and the beginning of every name here."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,38}[a-z0-9]$", var.app_id))
    error_message = "app_id is malformed: 3 to 40 lower-case letters, digits and hyphens (Cloud Run's names begin with it)."
  }
}

variable "topic_prefix" {
  description = "TOPIC_PREFIX: put in front of every topic's name; another one for each environment."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[A-Za-z0-9._-]{0,225}$", var.topic_prefix))
    error_message = "topic_prefix has a character that Kafka forbids, or is over 225 characters."
  }
}

variable "kafka" {
  description = "How Kafka is reached. `has_…` says which secrets there are beside the password; `sasl_password_version` names the version that is used: another one restarts everything, since the password is read at the start only."
  type = object({
    bootstrap_servers      = string
    security_protocol      = optional(string, "SASL_SSL")
    sasl_mechanism         = optional(string, "SCRAM-SHA-512")
    sasl_username          = optional(string)
    sasl_password_version  = optional(string, "latest")
    has_ca                 = optional(bool, false)
    has_client_certificate = optional(bool, false)
    has_key_password       = optional(bool, false)
  })
  nullable = false

  validation {
    condition     = can(regex("^[A-Za-z0-9._-]+:[0-9]{1,5}(,[A-Za-z0-9._-]+:[0-9]{1,5})*$", var.kafka.bootstrap_servers))
    error_message = "kafka.bootstrap_servers is malformed: host:port, several separated by commas."
  }

  validation {
    condition     = contains(["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"], var.kafka.security_protocol)
    error_message = "kafka.security_protocol is PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL."
  }

  validation {
    condition     = contains(["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"], var.kafka.sasl_mechanism)
    error_message = "kafka.sasl_mechanism is PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512."
  }

  validation {
    condition     = !startswith(var.kafka.security_protocol, "SASL") || try(length(var.kafka.sasl_username) > 0, false)
    error_message = "kafka.sasl_username is missing: the security_protocol has SASL."
  }

  validation {
    condition     = can(regex("^(latest|[1-9][0-9]*)$", var.kafka.sasl_password_version))
    error_message = "kafka.sasl_password_version is latest or the number of a version."
  }

  validation {
    condition     = endswith(var.kafka.security_protocol, "SSL") || !(var.kafka.has_ca || var.kafka.has_client_certificate)
    error_message = "kafka: certificates are for a security_protocol with SSL."
  }

  validation {
    condition     = var.kafka.has_client_certificate || !var.kafka.has_key_password
    error_message = "kafka.has_key_password is for a client certificate."
  }
}

variable "customerio_region" {
  description = "CUSTOMERIO_REGION: where the workspace is."
  type        = string
  nullable    = false

  validation {
    condition     = contains(["us", "eu"], var.customerio_region)
    error_message = "customerio_region is us or eu."
  }
}

variable "has_app_api" {
  description = "Whether there is an App API key: without one, no transactional messages and broadcasts are sent."
  type        = bool
  default     = true
  nullable    = false
}

variable "track_rate_per_s" {
  description = "TRACK_RATE_PER_S: requests to the Track API a second, of the whole fleet."
  type        = number
  default     = 100
  nullable    = false

  validation {
    condition     = var.track_rate_per_s > 0 && var.track_rate_per_s <= 100000
    error_message = "track_rate_per_s is above 0 and at most 100000."
  }
}

variable "settings" {
  description = "Further settings by their names, for every process, for example { LOG_LEVEL = \"debug\" }. No secrets: these would stand in the state."
  type        = map(string)
  default     = {}
  nullable    = false

  validation {
    condition     = alltrue([for name in keys(var.settings) : can(regex("^[A-Z][A-Z0-9_]*$", name)) && !contains(local.taken_settings, name)])
    error_message = "settings: names are in capitals, and not of what has a variable or a secret of its own: ${join(", ", sort(local.taken_settings))}."
  }
}
