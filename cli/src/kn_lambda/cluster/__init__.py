"""The platform that a command uses: its API, Brokers, logs and journal."""
