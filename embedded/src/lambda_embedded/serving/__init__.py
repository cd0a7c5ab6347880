"""Knative Serving on one machine: revisions as processes behind an activator."""
