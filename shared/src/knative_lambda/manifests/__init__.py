"""Pure functions from the domain to Kubernetes objects."""
