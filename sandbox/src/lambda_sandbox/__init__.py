"""Runs programs of others on this machine: isolated, supervised, logged, and ended as a whole."""
