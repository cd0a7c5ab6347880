"""The ports, spoken to real systems."""
