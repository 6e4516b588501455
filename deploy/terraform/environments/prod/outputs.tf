output "webhook_url" {
  description = "Where this workspace's reporting webhook is to point."
  value       = module.customerio_streams.webhook_url
}

output "secrets" {
  description = "The secrets that people add versions to."
  value       = module.customerio_streams.secrets
}

output "useful_replicas" {
  description = "How many workers are of use."
  value       = module.customerio_streams.useful_replicas
}
