"""Knative Serving on one machine: revisions as processes behind an activator."""

from lambda_embedded.serving.composition import Serving
from lambda_embedded.serving.gateway.server import create_gateway, gateway_runner
from lambda_embedded.serving.launchers.launcher import Command, Launcher, LaunchError
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
