"""What `kn-lambda doctor` looks at."""
