"""What runs in a build: fetch the context, install its packages, publish the image."""

__version__ = "0.1.0"
