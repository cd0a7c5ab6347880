"""What an object must pass before it is stored."""
