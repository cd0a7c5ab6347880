"""What became of events, Brokers and Triggers."""
