"""Command lines for the user to copy, to call a function from another terminal."""

from __future__ import annotations

import json
import shlex
from typing import TYPE_CHECKING, Any

from kn_lambda.cluster.records import is_http, subscribed_type
from kn_lambda.cluster.running import home_flags
from kn_lambda.program import program
from knative_lambda.inbound.portable_json import loads

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from kn_lambda.session import Session
    from knative_lambda.adapters.kubernetes.client import KubernetesObject


def target_flags(session: Session, namespace: str) -> list[str]:
    """Return the options that select the same platform and namespace."""
    flags = [] if namespace == "default" else ["-n", namespace]
    if session.target.context is not None:
        return [*flags, "--context", session.target.context]
    return [*flags, *home_flags(session.target.home)]


def invoke_command(record: KubernetesObject, data: object, flags: list[str]) -> str:
    """Return a `kn-lambda invoke` line."""
    words = [program(), "invoke", record["metadata"]["name"], *flags]
    if data is not None and not is_http(record):
        words += ["--data", json.dumps(data, ensure_ascii=False)]
    return shlex.join(words)


def curl_command(record: KubernetesObject, data: object) -> str:
    """Return a curl line; for a `cloudevent` function, with an event in binary mode."""
    url = record["status"]["url"]
    if is_http(record):
        return shlex.join(["curl", "-s", url])
    attributes = {
        "ce-specversion": "1.0",
        "ce-id": "1",
        "ce-source": "/curl",
        "ce-type": subscribed_type(record),
        "Content-Type": "application/json",
    }
    words = ["curl", "-s", url]
    for name, value in attributes.items():
        words += ["-H", f"{name}: {value}"]
    words += ["-d", json.dumps({} if data is None else data, ensure_ascii=False)]
    return shlex.join(words)


def sample_data(folder: Path | None) -> object:
    """Return the data of the `event.json` in a source; None without one."""
    if folder is None or not (folder / "event.json").is_file():
        return None
    try:
        event: Mapping[str, Any] = loads((folder / "event.json").read_bytes())
        return event.get("data")
    except (OSError, ValueError, AttributeError):
        return None
