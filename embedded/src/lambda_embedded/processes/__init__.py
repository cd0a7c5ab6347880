"""Child processes: what they are told, what they log, and what they leave."""
