"""How events go out: when, to which subscriber, and what its response means."""
