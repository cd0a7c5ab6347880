"""Commands that people can paste to call a function."""

from __future__ import annotations

import json
import shlex
from typing import TYPE_CHECKING, Any

from kn_lambda.terminal.program import program

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from kn_lambda.session import Session
    from knative_lambda.adapters.kubernetes.client import KubernetesObject

DEFAULT_TYPE = "com.example.event"


def subscribed_type(record: KubernetesObject) -> str:
    """Return a type of events that the function asked for, or one that stands for any."""
    for attributes in record.get("spec", {}).get("subscriptions") or ():
        if "type" in attributes:
            return str(attributes["type"])
    return DEFAULT_TYPE


def target_flags(session: Session, namespace: str) -> list[str]:
    """Return the flags by which another terminal reaches the same function."""
    from kn_lambda.options import DEFAULT_HOME  # noqa: PLC0415 # options imports session

    flags = [] if namespace == "default" else ["-n", namespace]
    if session.target.context is not None:
        flags += ["--context", session.target.context]
    elif session.target.home != DEFAULT_HOME.expanduser():
        flags += ["--home", str(session.target.home)]
    return flags


def invoke_command(record: KubernetesObject, data: object, flags: list[str]) -> str:
    """Return a `kn-lambda invoke` line."""
    words = [program(), "invoke", record["metadata"]["name"], *flags]
    if data is not None and not _is_http(record):
        words += ["--data", json.dumps(data, ensure_ascii=False)]
    return shlex.join(words)


def curl_command(record: KubernetesObject, data: object) -> str:
    """Return a curl line; for a `cloudevent` function it carries a whole event in binary mode."""
    url = record["status"]["url"]
    if _is_http(record):
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
    """Return the data of the `event.json` beside a source; None when there is none to show."""
    if folder is None or not (folder / "event.json").is_file():
        return None
    try:
        event: Mapping[str, Any] = json.loads((folder / "event.json").read_text())
        return event.get("data")
    except (ValueError, AttributeError):
        return None


def _is_http(record: KubernetesObject) -> bool:
    return bool(record.get("spec", {}).get("signature") == "http")
