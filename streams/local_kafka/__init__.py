"""A real Kafka on this machine, from Docker or from its Maven artifacts."""
