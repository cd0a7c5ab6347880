"""The HTTP API of the function `api`: people and programs in, their own rights applied."""
