"""The control plane of Knative Lambda, shared by its functions."""

__version__ = "0.1.0"
