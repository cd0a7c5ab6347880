"""The kn-lambda command line."""

__version__ = "0.1.0"
