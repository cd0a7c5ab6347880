"""Speaking to a platform: which one, its API, its Brokers."""
