"""The whole story of one record, from what lies on Kafka."""
