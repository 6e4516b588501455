"""BigQuery as far as the warehouse uses it: the official gRPC service and the REST API, over sockets, on DuckDB."""
