"""The benchmark of `make bench`: real workers on a real Kafka, measured from outside. It reports, and fails nothing."""
