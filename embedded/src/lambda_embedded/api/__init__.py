"""The Kubernetes API of the embedded platform."""
