"""Finished images in a registry or an OCI layout folder."""
