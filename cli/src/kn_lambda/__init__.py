"""The kn-lambda command line and the embedded platform."""

__version__ = "0.1.0"
