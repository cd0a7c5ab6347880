"""Schemas of Knative's kinds as data, and the script that writes them."""
