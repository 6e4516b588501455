# A service account for each process, with no more than it needs.

resource "google_service_account" "process" {
  for_each = local.accounts

  account_id   = "cio-${var.environment}-${each.key}"
  display_name = "customerio-streams ${var.environment}: ${each.key}"
}

# The loader writes into its dataset and asks it questions; a question is a job of the project.
resource "google_bigquery_dataset_iam_member" "loader" {
  dataset_id = google_bigquery_dataset.this.dataset_id
  role       = "roles/bigquery.dataEditor"
  member     = google_service_account.process["warehouse"].member
}

resource "google_project_iam_member" "loader_jobs" {
  project = var.project_id
  role    = "roles/bigquery.jobUser"
  member  = google_service_account.process["warehouse"].member
}

# The sidecar writes metrics, and its own log, as the process beside it.
resource "google_project_iam_member" "sidecar" {
  for_each = var.metrics_image == null ? {} : {
    for pair in setproduct(local.processes, ["roles/monitoring.metricWriter", "roles/logging.logWriter"]) :
    "${pair[0]} ${pair[1]}" => { process = pair[0], role = pair[1] }
  }

  project = var.project_id
  role    = each.value.role
  member  = google_service_account.process[each.value.process].member
}
