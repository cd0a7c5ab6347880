"""What the four functions do, free of any SDK."""
