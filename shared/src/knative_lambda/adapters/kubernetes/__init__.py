"""The ports that live in the Kubernetes API."""
