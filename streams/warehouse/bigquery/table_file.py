"""BigQuery's tables as a file for Terraform: `make docs` writes it, and a test holds the file to it."""

import json
import sys
from typing import Final

from streams.warehouse.bigquery.tables import ALL_TABLES, declared

ANYWHERE: Final = "project.dataset"
"""A table cannot be described without a place; the file leaves it out."""


def table_file() -> str:
    """By table: `day`, by which it may be partitioned, `cluster`, and the `schema` as BigQuery's REST API has it."""
    tables = {table.name: declared(f"{ANYWHERE}.{table.name}", table).to_api_repr() for table in ALL_TABLES}
    described = {
        name: {
            "day": told.get("timePartitioning", {}).get("field"),
            "cluster": told["clustering"]["fields"],
            "schema": told["schema"]["fields"],
        }
        for name, told in tables.items()
    }
    return json.dumps(described, indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    sys.stdout.write(table_file())
