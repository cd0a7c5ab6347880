"""What a lambda, a build and an event are; no input or output."""
