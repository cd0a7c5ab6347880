"""Events and their deliveries on disk."""
