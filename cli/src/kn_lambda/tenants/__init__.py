"""Namespaces that hold functions: what they need, and who may deploy there."""
