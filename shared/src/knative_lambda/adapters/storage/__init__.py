"""Object storage by URI scheme."""
