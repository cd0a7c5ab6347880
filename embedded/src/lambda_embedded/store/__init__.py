"""Kubernetes objects with versions and watches, in one SQLite file."""
