"""One request to a function, and its response."""
