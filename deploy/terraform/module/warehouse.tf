# The warehouse. The loader owns the tables' columns: it adds what is new, and nothing here takes that away again.

locals {
  # Made from the program's own tables by `make docs`.
  tables = jsondecode(file("${path.module}/warehouse.json"))
}

resource "google_bigquery_dataset" "this" {
  dataset_id                 = local.dataset
  location                   = var.dataset_location
  description                = "What Customer.io reports and what was delivered; ask the views that the loader makes."
  labels                     = var.labels
  delete_contents_on_destroy = false
}

resource "google_bigquery_table" "this" {
  for_each = local.tables

  dataset_id          = google_bigquery_dataset.this.dataset_id
  table_id            = each.key
  schema              = jsonencode(each.value.schema)
  clustering          = each.value.cluster
  labels              = var.labels
  deletion_protection = var.deletion_protection

  dynamic "time_partitioning" {
    for_each = each.value.day[*]
    content {
      type  = "DAY"
      field = time_partitioning.value
    }
  }

  lifecycle {
    ignore_changes = [schema]
  }
}
