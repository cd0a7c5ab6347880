"""What the tenant has."""

BUILD = "b" * 64
