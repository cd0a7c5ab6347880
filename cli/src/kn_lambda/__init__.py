"""The kn-lambda command line and the embedded platform."""
