output "webhook_url" {
  description = "Where Customer.io's reporting webhook is to point."
  value       = "${google_cloud_run_v2_service.receiver.uri}/webhooks/customerio"
}

output "secrets" {
  description = "The secrets that people add versions to, by what they hold."
  value       = { for name, secret in google_secret_manager_secret.this : name => secret.secret_id }
}

output "service_accounts" {
  description = "The account of each process, for rights elsewhere (Kafka, VPC)."
  value       = { for name, account in google_service_account.process : name => account.email }
}

output "worker_pools" {
  description = "The worker pools' names, by process."
  value       = { for name, pool in google_cloud_run_v2_worker_pool.this : name => pool.name }
}

output "dataset" {
  description = "The warehouse's dataset: PROJECT.DATASET."
  value       = "${var.project_id}.${google_bigquery_dataset.this.dataset_id}"
}

output "useful_replicas" {
  description = "How many workers are of use: the most that the autoscaler makes."
  value       = local.useful_replicas
}
