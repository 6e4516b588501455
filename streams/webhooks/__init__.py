"""The way back: Customer.io's reporting webhooks, verified and put on Kafka before they are answered."""
