"""Runs the control plane's own functions from this installation."""

from __future__ import annotations

import re
import secrets
import sys
from typing import TYPE_CHECKING, Any

from lambda_embedded import guarded_function
from lambda_embedded.serving.launchers.launcher import Command, LaunchError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping
    from pathlib import Path

# It acts in the name of its callers, so it has to be shown who they are.
_ACTS_FOR_CALLERS = "api"
FUNCTION_LABEL = "knative-lambda.dev/function"
_NAME = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?")
_DEFAULT_THREADS = 4


class FunctionLauncher:
    """For templates labelled with the name of a folder of `functions_folder`.

    `environment` is added to every function's, after its template's.
    """

    def __init__(
        self,
        *,
        functions_folder: Path,
        data_folder: Path,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self._functions = functions_folder
        self._kubeconfig = data_folder / "kubeconfig"
        self._environment = dict(environment or {})

    def accepts(self, template: Mapping[str, Any]) -> bool:
        """Return whether the template has the label."""
        return _function(template) is not None

    async def prepare(self, namespace: str, name: str, template: Mapping[str, Any]) -> Command:
        """Return functions-framework with the function's main.py, behind a guard."""
        del namespace, name
        function = _function(template) or ""
        main = self._functions / function / "main.py"
        if not _NAME.fullmatch(function) or not main.is_file():
            raise LaunchError(f"label {FUNCTION_LABEL}: there is no function {function!r}")
        threads = template["spec"].get("containerConcurrency") or _DEFAULT_THREADS
        # Not the platform's token: this one is sent to whatever listens on the port.
        credential = secrets.token_urlsafe()
        arguments = ["--target", "handle", "--source", str(guarded_function.FILE)]
        return Command(
            arguments=[
                *(sys.executable, "-m", "functions_framework", *arguments),
                *("--host", "127.0.0.1", "--port", "$(PORT)"),
            ],
            environment={
                **self._environment,
                "KUBECONFIG": str(self._kubeconfig),
                guarded_function.FUNCTION: str(main),
                guarded_function.CREDENTIAL: credential,
                "THREADS": str(threads),
            },
            working_directory=main.parent,
            request_headers={guarded_function.HEADER: credential},
            takes_token=function == _ACTS_FOR_CALLERS,
        )

    async def collect(self, templates: Callable[[], AsyncIterator[Mapping[str, Any]]]) -> None:
        """Keep everything: the functions belong to the installation."""


def _function(template: Mapping[str, Any]) -> str | None:
    labels = (template.get("metadata") or {}).get("labels") or {}
    function: str | None = labels.get(FUNCTION_LABEL)
    return function
