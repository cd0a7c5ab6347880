"""The processes of a revision: when they start, which requests they take, when they stop."""
