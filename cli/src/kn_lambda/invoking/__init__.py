"""One request to a function, and what it answered."""
