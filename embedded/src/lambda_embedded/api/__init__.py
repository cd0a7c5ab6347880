"""The Kubernetes API of the embedded platform."""

from __future__ import annotations

from lambda_embedded.api.kubeconfig import kubeconfig, write_kubeconfig
from lambda_embedded.api.logs.pod_logs import PodLogs
from lambda_embedded.api.server import create_api

__all__ = ["PodLogs", "create_api", "kubeconfig", "write_kubeconfig"]
