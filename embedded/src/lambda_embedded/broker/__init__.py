"""A durable Broker with Knative's promises, on one SQLite file."""
