"""Names that a shell may complete, such as those of functions, namespaces, contexts and runtimes.

They come from a cluster or from files of others, so only harmless ones are offered: a shell would
run or expand a name such as `$(reboot)`, and a terminal obeys escape sequences in it.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kn_lambda.cluster.connecting import TargetOptions
from kn_lambda.cluster.running import DEFAULT_HOME

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    import click
    from click.shell_completion import CompletionItem

    from kn_lambda.cluster.installation import Installation

    Names = Callable[[click.Context], Iterable[str]]

# Nothing that a shell expands, no blanks, and no leading "-", which would be an option.
_HARMLESS = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/@+-]{0,252}", re.ASCII)
_MOST = 1000


def completed_by(
    names: Names,
) -> Callable[[click.Context, click.Parameter, str], list[CompletionItem[str]]]:
    """Return what click's `shell_complete` takes: the names that begin with what is there."""

    def complete(
        context: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem[str]]:
        from click.shell_completion import CompletionItem  # noqa: PLC0415 # only to complete

        given = context.params.get(param.name or "") if param.nargs == -1 else ()
        found = {name for name in names(context) if _HARMLESS.fullmatch(name)}
        fitting = sorted(name for name in found - set(given or ()) if name.startswith(incomplete))
        return [CompletionItem(name) for name in fitting[:_MOST]]

    return complete


def function_names(context: click.Context) -> Iterable[str]:
    """Return the functions of the namespace that is meant."""
    from knative_lambda.adapters.kubernetes.client import LAMBDA_FUNCTIONS  # noqa: PLC0415

    namespace = _given(context, "namespace") or "default"
    items = _installation(context).api.list(LAMBDA_FUNCTIONS, namespace)
    return (str(item["metadata"]["name"]) for item in items)


def namespaces(context: click.Context) -> Iterable[str]:
    """Return the tenants: the namespaces that have a Broker of their own."""
    from knative_lambda.adapters.kubernetes.client import BROKERS  # noqa: PLC0415

    return (
        str(item["metadata"]["namespace"])
        for item in _installation(context).api.list(BROKERS, None)
    )


def tenants(context: click.Context) -> Iterable[str]:
    """Return the namespaces that are labelled as tenants."""
    from knative_lambda.adapters.kubernetes.client import Resource  # noqa: PLC0415

    items = _installation(context).api.list(
        Resource("api/v1", "namespaces"), None, labels={"knative-lambda.dev/tenant": "true"}
    )
    return (str(item["metadata"]["name"]) for item in items)


def contexts(context: click.Context) -> Iterable[str]:
    """Return the contexts of the kubeconfig."""
    from knative_lambda.adapters.kubernetes.kubeconfig import context_names  # noqa: PLC0415

    return context_names(_given(context, "kubeconfig") or "~/.kube/config")


def runtimes(context: click.Context) -> Iterable[str]:
    """Return the runtimes of the platform."""
    from kn_lambda.deploying.runtimes import installed_runtimes  # noqa: PLC0415

    return installed_runtimes(_installation(context).settings())


def languages_with_versions(context: click.Context) -> Iterable[str]:  # noqa: ARG001 # as all
    """Return the languages, and each with each of its versions."""
    from kn_lambda.languages import languages  # noqa: PLC0415

    return (f"{each.name}{version}" for each in languages() for version in ("", *each.versions))


def templates(context: click.Context) -> Iterable[str]:
    """Return the templates of the language that is meant, or of all."""
    return _choices(context, "templates")


def ci_systems(context: click.Context) -> Iterable[str]:
    """Return the CI systems for which there is a pipeline in the language that is meant, or any."""
    return _choices(context, "ci")


def settings(context: click.Context) -> Iterable[str]:  # noqa: ARG001 # as all
    """Return the settings that `--unset` takes; it takes the names of variables too."""
    from kn_lambda.deploying.settings import OPTIONS  # noqa: PLC0415

    return OPTIONS


def _choices(context: click.Context, kind: str) -> Iterable[str]:
    from kn_lambda.languages import languages  # noqa: PLC0415
    from kn_lambda.templates import choices  # noqa: PLC0415

    runtime = _given(context, "runtime")
    meant = [runtime[0]] if runtime else languages()
    return (name for language in meant for name in choices(language, kind))


def _installation(context: click.Context) -> Installation:
    connect = context.find_root().obj
    if connect is None:
        from kn_lambda.cluster.connecting import connect  # noqa: PLC0415
    home = _given(context, "home") or DEFAULT_HOME
    options = TargetOptions(
        context=_given(context, "context"),
        kubeconfig=_given(context, "kubeconfig"),
        home=Path(home).expanduser().absolute(),
    )
    installation: Installation = connect(options)
    return installation


def _given(context: click.Context | None, name: str) -> Any:  # noqa: ANN401 # of any option
    """Return an option of the command, else the one before the command, else None."""
    while context is not None:
        if (value := context.params.get(name)) is not None:
            return value
        context = context.parent
    return None
