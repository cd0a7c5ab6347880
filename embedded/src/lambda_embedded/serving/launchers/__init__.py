"""What to run for a revision: a function of the control plane, or an image."""
