"""Which Kubernetes API a process speaks to."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from knative_lambda.adapters.kubernetes.service_account import SERVICE_HOST, pod_connection
from knative_lambda.domain.errors import PlatformUnavailableError

if TYPE_CHECKING:
    from pathlib import Path

    from knative_lambda.adapters.kubernetes.connection import Connection

_DEFAULT_KUBECONFIG = "~/.kube/config"


def find_connection(
    kubeconfig: str | None, context: str | None, service_account: Path
) -> Connection:
    """By KUBECONFIG where it is named or set, else as a Pod, else by the file in the home folder.

    Nothing is sent yet; `PlatformUnavailableError` where nothing says where to send it.
    """
    environment = os.environ  # noqa: TID251  # how Kubernetes and its users say so
    named = kubeconfig or environment.get("KUBECONFIG")
    try:
        if not named and context is None and SERVICE_HOST in environment:
            return pod_connection(environment, service_account)
        # Loaded where it is needed: a Pod reads no YAML.
        from knative_lambda.adapters.kubernetes.kubeconfig import (  # noqa: PLC0415
            kubeconfig_connection,
        )

        return kubeconfig_connection(named or _DEFAULT_KUBECONFIG, context)
    except Exception as error:  # broken files break their readers in many ways
        raise PlatformUnavailableError(
            "it is not known where the Kubernetes API is: check KUBECONFIG, or the Pod's "
            f"service account ({type(error).__name__})"
        ) from error
