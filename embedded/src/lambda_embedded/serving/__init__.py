"""Knative Serving on one machine: revisions as processes behind an activator."""

from lambda_embedded.serving.gateway import create_gateway, gateway_runner
from lambda_embedded.serving.launcher import Command, Launcher, LaunchError
from lambda_embedded.serving.serving import Serving
from lambda_embedded.serving.settings import ServingSettings

__all__ = [
    "Command",
    "LaunchError",
    "Launcher",
    "Serving",
    "ServingSettings",
    "create_gateway",
    "gateway_runner",
]
