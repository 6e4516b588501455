"""Pipes: Kafka, Customer.io, the command line, and the place where they are wired to the agents."""
