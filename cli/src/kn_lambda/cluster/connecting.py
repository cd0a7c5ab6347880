"""Selects the platform that a command uses, and connects to it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from kn_lambda.cluster.running import command_for, require_running
from kn_lambda.errors import UnreachableError

if TYPE_CHECKING:
    from collections.abc import Callable

    from kn_lambda.cluster.installation import Installation


@dataclass(frozen=True, kw_only=True, slots=True)
class TargetOptions:
    """The options that select a platform."""

    context: str | None
    kubeconfig: str | None
    home: Path


@dataclass(frozen=True, kw_only=True, slots=True)
class Target:
    """The selected platform; `name` is for messages."""

    name: str
    kubeconfig: str | None
    context: str | None
    is_embedded: bool


def choose_target(options: TargetOptions) -> Target:
    """Select by options and files, never by which platform responds.

    A home folder in which a platform was started takes precedence over KUBECONFIG: while that
    platform is down, a `delete` must not reach another cluster.
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
        f"no platform in {options.home}",
        hint=f"Start one: {command_for('up', options.home)}. Or select a cluster with --context.",
    )


def connect(
    options: TargetOptions, *, require: Callable[[Path], None] = require_running
) -> Installation:
    """Connect to the selected platform; nothing is sent yet.

    `require` is called with the data folder if the platform is an embedded one.
    """
    from kn_lambda.cluster.api import ClusterApi  # noqa: PLC0415 # slow; --help goes without
    from kn_lambda.cluster.http import HttpClient  # noqa: PLC0415
    from kn_lambda.cluster.installation import Installation  # noqa: PLC0415

    target = choose_target(options)
    if target.context is not None:
        _require_context(target)
    home = _data_folder(options, target)
    if home is not None:
        require(home)
    # The client reads KUBECONFIG itself if it is a list of files, and merges them.
    kubeconfig = None if ":" in (target.kubeconfig or "") else target.kubeconfig
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
            f"cannot read the token of the platform in {home}: {error.strerror}",
            hint="`kn-lambda up` writes it; only the user who started the platform can read it.",
        ) from error
    return {"Authorization": f"Bearer {token}"}


def embedded_home(options: TargetOptions) -> Path | None:
    """Return the data folder of the embedded platform that is selected; None for a cluster."""
    return _data_folder(options, choose_target(options))


def _data_folder(options: TargetOptions, target: Target) -> Path | None:
    """Return the data folder, also of a target that is a copy of its kubeconfig.

    Server, authority and token must equal those of the folder's own kubeconfig: a foreign
    kubeconfig that names the token's file must not make us send the token elsewhere.
    """
    if target.is_embedded:
        return options.home
    from knative_lambda.adapters.kubernetes.kubeconfig import (  # noqa: PLC0415 # reads YAML
        cluster_and_user,
    )

    try:
        meant = cluster_and_user(target.kubeconfig or "~/.kube/config", target.context)
        folder = Path(meant[1]["tokenFile"]).parent
        return folder if meant == cluster_and_user(str(folder / "kubeconfig"), None) else None
    except Exception:  # noqa: BLE001 # connecting reports what is wrong with the file
        return None


def _require_context(target: Target) -> None:
    from knative_lambda.adapters.kubernetes.kubeconfig import (  # noqa: PLC0415 # reads YAML
        context_names,
    )

    try:
        names = sorted(context_names(target.kubeconfig or "~/.kube/config"))
    except Exception as error:
        raise UnreachableError(
            f"the kubeconfig cannot be read ({type(error).__name__})",
            hint="Correct the files that KUBECONFIG names.",
        ) from error
    if not names:
        raise UnreachableError(
            f"no kubeconfig has the context {target.context}",
            hint="Set KUBECONFIG to the path of your kubeconfig.",
        )
    if target.context not in names:
        raise UnreachableError(
            f"no context {target.context}", hint=f"Existing contexts: {', '.join(names)}."
        )
