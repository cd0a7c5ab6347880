"""What the control functions do, free of any SDK."""
