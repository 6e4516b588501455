"""Proves from what lies on Kafka that every input record has exactly one result."""
