"""What we ask of Kafka itself: clients, topics, the transport under Faust, transactions, reading back."""
