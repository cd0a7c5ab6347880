"""What is kept: Kubernetes objects with versions and watches, on one SQLite file."""
