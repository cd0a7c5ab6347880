"""Child processes: their environment, their logs, and what they leave behind."""
