"""One run of a command: the platform that it uses, and its output options."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

from kn_lambda.cluster.connecting import connect
from kn_lambda.errors import WrongUsageError
from kn_lambda.terminal.output import Styled, echo

if TYPE_CHECKING:
    from collections.abc import Callable

    from kn_lambda.cluster.connecting import TargetOptions
    from kn_lambda.cluster.installation import Installation
    from knative_lambda.domain.names import FunctionId


@dataclass(kw_only=True)
class Session:
    """The shared options of one command; `installation` connects with the first use."""

    requested_namespace: str | None
    target: TargetOptions
    output: str
    verbose: bool
    connect: Callable[[TargetOptions], Installation] = connect

    @property
    def namespace(self) -> str:
        """The namespace; `WrongUsageError` if the name is invalid."""
        if self.requested_namespace is None:
            return "default"
        from knative_lambda.domain.names import FunctionId  # noqa: PLC0415 # slow

        try:
            return FunctionId.parse(f"{self.requested_namespace}/any").namespace
        except ValueError as error:
            raise WrongUsageError(
                f"invalid --namespace {self.requested_namespace!r}: {error}",
                hint="Use the name of a tenant, or omit it for the namespace default.",
            ) from error

    @cached_property
    def installation(self) -> Installation:
        """The platform; `UnreachableError` if there is none."""
        return self.connect(self.target)

    def within(self, namespace: str | None) -> Session:
        """Return a session in the namespace of a function.yaml, unless an option names another."""
        if namespace and self.requested_namespace not in {None, namespace}:
            raise WrongUsageError(
                f"function.yaml names namespace {namespace},"
                f" --namespace {self.requested_namespace}",
                hint="Remove one of them.",
            )
        return replace(self, requested_namespace=self.requested_namespace or namespace)

    def function(self, name: str) -> FunctionId:
        """Return the identity of a function; `WrongUsageError` if the name is invalid."""
        from knative_lambda.domain.names import FunctionId  # noqa: PLC0415

        namespace = self.namespace
        try:
            return FunctionId.parse(f"{namespace}/{name}")
        except ValueError as error:
            raise WrongUsageError(
                f"invalid function name {name!r}: {error}",
                hint="Use lower-case letters, digits and '-', such as my-function.",
            ) from error

    def debug(self, text: str) -> None:
        """Print a line that only -v shows."""
        if self.verbose:
            echo(Styled(text, dim=True), err=True)
