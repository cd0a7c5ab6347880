"""Which platform a command speaks to."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kn_lambda.cluster.api import ClusterApi
from kn_lambda.cluster.http import HttpClient
from kn_lambda.cluster.installation import Installation
from kn_lambda.errors import UnreachableError

if TYPE_CHECKING:
    from kn_lambda.session import TargetOptions

_FACTS = "platform.json"


@dataclass(frozen=True, kw_only=True, slots=True)
class Target:
    """One place to speak to; `name` is for people."""

    name: str
    kubeconfig: str | None
    context: str | None
    is_embedded: bool


def choose_target(options: TargetOptions) -> Target:
    """Decide by what was asked for and what is there, never by what happens to answer.

    A home folder that once had a platform goes before KUBECONFIG: a platform that is down must not
    send a `delete` to another cluster.
    """
    if options.context is not None:
        return Target(
            name=f"context {options.context}",
            kubeconfig=options.kubeconfig,
            context=options.context,
            is_embedded=False,
        )
    embedded = options.home / "kubeconfig"
    if embedded.exists():
        return Target(
            name=f"the embedded platform in {options.home}",
            kubeconfig=str(embedded),
            context=None,
            is_embedded=True,
        )
    if options.kubeconfig:
        return Target(
            name="the current context of KUBECONFIG",
            kubeconfig=options.kubeconfig,
            context=None,
            is_embedded=False,
        )
    raise UnreachableError(
        f"there is no platform in {options.home}",
        way_out="Start one with `kn-lambda up`, or name a cluster with --context.",
    )


def connect(options: TargetOptions) -> Installation:
    """Connect to the platform that is meant; nothing is sent yet."""
    target = choose_target(options)
    if target.context is not None:
        _require_context(target)
    # A list of files in KUBECONFIG is merged by the client, which reads the variable itself.
    kubeconfig = None if ":" in (target.kubeconfig or "") else target.kubeconfig
    home = options.home if target.is_embedded else _data_folder(target)
    return Installation(
        api=ClusterApi(kubeconfig=kubeconfig, context=target.context),
        http=HttpClient(),
        name=target.name,
        is_embedded=target.is_embedded,
        broker_headers=_token_header(home) if home else {},
    )


def _token_header(home: Path) -> dict[str, str]:
    try:
        token = (home / "token").read_text().strip()
    except OSError as error:
        raise UnreachableError(
            f"the token of the platform in {home} cannot be read ({error.strerror})",
            way_out="`kn-lambda up` makes it; only who started the platform may read it.",
        ) from error
    return {"Authorization": f"Bearer {token}"}


def _data_folder(target: Target) -> Path | None:
    """The data folder whose kubeconfig this is or was copied from; None where it is a cluster's.

    The token of a cluster's API is for that API alone and never goes to a Broker.
    """
    # The embedded platform is found without these.
    import yaml  # noqa: PLC0415

    from knative_lambda.adapters.kubernetes.kubeconfig import current_context  # noqa: PLC0415

    paths = target.kubeconfig or "~/.kube/config"
    try:
        context = target.context or current_context(paths)
        read = [yaml.safe_load(path.read_bytes()) for path in _files(paths)]
    except (OSError, yaml.YAMLError):
        return None  # told where the connection is made
    configs = [config for config in read if isinstance(config, dict)]
    user = _first(configs, "context", context).get("user")
    token = _first(configs, "user", user).get("tokenFile")
    folder = Path(token).parent if token else None
    return folder if folder and (folder / _FACTS).exists() else None


def _files(paths: str) -> list[Path]:
    files = [Path(path).expanduser() for path in paths.split(os.pathsep) if path]
    return [file for file in files if file.exists()]


def _first(configs: list[dict[str, Any]], kind: str, name: str | None) -> dict[str, Any]:
    """The first of that name wins, as in kubectl."""
    items = [item for config in configs for item in config.get(f"{kind}s") or ()]
    found = next((item.get(kind) for item in items if item.get("name") == name), None)
    return found or {}


def _require_context(target: Target) -> None:
    from kubernetes.config import ConfigException, list_kube_config_contexts  # noqa: PLC0415

    try:
        contexts, _current = list_kube_config_contexts(config_file=target.kubeconfig)
    except ConfigException as error:
        raise UnreachableError(
            f"there is no kubeconfig with the context {target.context}",
            way_out="Name the file in KUBECONFIG.",
        ) from error
    names = sorted(context["name"] for context in contexts)
    if target.context not in names:
        raise UnreachableError(
            f"there is no context {target.context}", way_out=f"There are {', '.join(names)}."
        )


def platform_facts(home: Path) -> dict[str, object]:
    """Return what a running embedded platform says of itself; nothing when none runs there."""
    try:
        facts = json.loads((home / _FACTS).read_text())
    except (OSError, ValueError):
        return {}
    return facts if isinstance(facts, dict) else {}
