"""Serves one Python function over HTTP: CloudEvents or plain requests."""
