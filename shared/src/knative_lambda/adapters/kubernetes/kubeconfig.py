"""The connection that a kubeconfig describes.

One file with a server, its authority and a token is read here. All else that a kubeconfig can say
is left to the kubernetes package, which costs tens of MiB and a third of a second to load.
"""

from __future__ import annotations

import os
from base64 import b64decode
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from knative_lambda.adapters.kubernetes.connection import (
    Connection,
    bearer,
    bearer_of,
    no_credentials,
)

if TYPE_CHECKING:
    from collections.abc import Callable

# The kubernetes package passes over proxy-url too; see the embedded platform's kubeconfig.
_CLUSTER = {
    "server",
    "certificate-authority",
    "certificate-authority-data",
    "extensions",
    "proxy-url",
}
_USER = {"token", "tokenFile"}


def kubeconfig_connection(paths: str, context: str | None) -> Connection:
    """Connect as a context says, else the current one; raises where there is none of that."""
    if os.pathsep not in paths:
        path = Path(paths).expanduser().absolute()
        cluster, user = _parts(yaml.safe_load(path.read_bytes()), context)
        if cluster.keys() <= _CLUSTER and user.keys() <= _USER:
            return Connection(
                server=cluster["server"].rstrip("/"),
                tls=_authority(cluster, path.parent),
                authorization=_authorization(user, path.parent),
            )
    from knative_lambda.adapters.kubernetes.kubeconfig_by_package import (  # noqa: PLC0415
        connection_by_package,
    )

    return connection_by_package(paths, context or current_context(paths))


def current_context(paths: str) -> str | None:
    """Return the context that is meant where none is named; None where no file says."""
    return _merged(paths).get("current-context")


def cluster_and_user(paths: str, context: str | None) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return what a context, else the current one, names; raises what broken files break."""
    return _parts(_merged(paths), context)


def _merged(paths: str) -> dict[str, Any]:
    """All files of a list that are there, as kubectl has them: the first of anything counts.

    The package asks the last one for the current context.
    """
    merged: dict[str, Any] = {}
    for path in filter(None, paths.split(os.pathsep)):
        file = Path(path).expanduser()
        config = yaml.safe_load(file.read_bytes()) if file.exists() else None
        for key, value in (config or {}).items():
            if isinstance(value, list):
                merged.setdefault(key, []).extend(value)
            elif value:
                merged.setdefault(key, value)
    return merged


def _parts(config: dict[str, Any], context: str | None) -> tuple[dict[str, Any], dict[str, Any]]:
    chosen = _named(config, "context", context or config["current-context"])
    return _named(config, "cluster", chosen["cluster"]), _named(config, "user", chosen.get("user"))


def _named(config: dict[str, Any], kind: str, name: str | None) -> dict[str, Any]:
    """The first of that name, as in kubectl; nothing where there is none."""
    for item in config.get(f"{kind}s") or ():
        if item["name"] == name:
            return item[kind] or {}
    return {}


def _authority(cluster: dict[str, Any], folder: Path) -> dict[str, str]:
    if data := cluster.get("certificate-authority-data"):
        return {"ca_cert_data": b64decode(data).decode()}
    if file := cluster.get("certificate-authority"):
        return {"ca_certs": str(folder / file)}
    return {}


def _authorization(user: dict[str, Any], folder: Path) -> Callable[[], str | None]:
    if token := user.get("token"):
        return partial(bearer, token)
    if file := user.get("tokenFile"):
        return partial(bearer_of, folder / file)
    return no_credentials
