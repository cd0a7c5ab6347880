"""Child processes: their environment, their logs, the interpreters that run them, and what they leave."""
