"""Logs of Pods."""
