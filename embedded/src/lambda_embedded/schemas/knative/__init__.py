"""Schemas of Knative's kinds, as data."""
