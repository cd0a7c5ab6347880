"""The connection that a kubeconfig describes.

One file with a server, its authority and a token is read here. Everything else is left to the
kubernetes package, which costs tens of MiB and a third of a second to load. Therefore it has a
module of its own, which is imported only then.
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

# The kubernetes package ignores proxy-url too; see the embedded platform's kubeconfig.
_CLUSTER = {
    "server",
    "certificate-authority",
    "certificate-authority-data",
    "extensions",
    "proxy-url",
}
_USER = {"token", "tokenFile"}


def kubeconfig_connection(paths: str, context: str | None) -> Connection:
    """Connect as a context says, else the current one; raises where there is no such context."""
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
    """Return the current context; None where no file names one."""
    return _merged(paths).get("current-context")


def context_names(paths: str) -> list[str]:
    """Return the names of all contexts; raises many things for broken files."""
    return [str(item["name"]) for item in _merged(paths).get("contexts") or ()]


def cluster_and_user(paths: str, context: str | None) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return what a context, else the current one, names; raises many things for broken files."""
    return _parts(_merged(paths), context)


def _merged(paths: str) -> dict[str, Any]:
    """Merge the files of a list that exist as kubectl does: the first mention of anything wins.

    The package takes the current context of the last one instead.
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
    """Return the first of that name, as kubectl does; empty where there is none."""
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
