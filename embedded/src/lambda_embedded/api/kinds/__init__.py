"""The kinds that the API serves, with their schemas and columns."""
