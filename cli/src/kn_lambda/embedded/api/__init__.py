"""The Kubernetes API of the embedded platform."""

from __future__ import annotations

from kn_lambda.embedded.api.kubeconfig import kubeconfig, write_kubeconfig
from kn_lambda.embedded.api.pod_logs import PodLogs
from kn_lambda.embedded.api.server import create_api

__all__ = ["PodLogs", "create_api", "kubeconfig", "write_kubeconfig"]
