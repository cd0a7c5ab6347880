"""Knative Serving on one machine: revisions as processes behind an activator."""

from kn_lambda.embedded.serving.gateway import create_gateway, gateway_runner
from kn_lambda.embedded.serving.launcher import Command, Launcher, LaunchError
from kn_lambda.embedded.serving.serving import Serving
from kn_lambda.embedded.serving.settings import ServingSettings

__all__ = [
    "Command",
    "LaunchError",
    "Launcher",
    "Serving",
    "ServingSettings",
    "create_gateway",
    "gateway_runner",
]
