"""The warehouse in a BigQuery dataset: `warehouse.py` says how each record gets there once."""
