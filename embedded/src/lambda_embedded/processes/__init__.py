"""What containers need of this machine: runtimes, programs, environment."""
