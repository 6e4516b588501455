# Containers for secrets, and who may read each. Their values are added as versions by people: none is ever in the state.

resource "google_secret_manager_secret" "this" {
  for_each = local.secrets

  secret_id           = "${var.app_id}-${each.key}"
  labels              = var.labels
  deletion_protection = var.deletion_protection

  replication {
    auto {}
  }
}

resource "google_secret_manager_secret_iam_member" "reader" {
  for_each = merge([
    for name, secret in local.secrets : { for process in secret.readers : "${name}/${process}" => { secret = name, process = process } }
  ]...)

  secret_id = google_secret_manager_secret.this[each.value.secret].id
  role      = "roles/secretmanager.secretAccessor"
  member    = google_service_account.process[each.value.process].member
}
