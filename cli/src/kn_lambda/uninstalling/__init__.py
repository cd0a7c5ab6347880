"""What Knative Lambda has on this machine, and how to remove it."""
