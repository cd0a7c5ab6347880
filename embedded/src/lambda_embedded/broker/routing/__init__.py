"""Which Triggers an event goes to."""
