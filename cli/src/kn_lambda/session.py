"""What one run of a command knows: where it speaks to, and how it prints."""

from __future__ import annotations

from dataclasses import dataclass
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
        """The namespace that is meant; one that cannot be is wrong usage."""
        if self.requested_namespace is None:
            return "default"
        from knative_lambda.domain.names import FunctionId  # noqa: PLC0415 # slow

        try:
            return FunctionId.parse(f"{self.requested_namespace}/any").namespace
        except ValueError as error:
            raise WrongUsageError(f"--namespace {self.requested_namespace!r}: {error}") from error

    @cached_property
    def installation(self) -> Installation:
        """The platform; `UnreachableError` when there is none to speak to."""
        return self.connect(self.target)

    def function(self, name: str) -> FunctionId:
        """Return the identity of a function; a name that none can have is wrong usage."""
        from knative_lambda.domain.names import FunctionId  # noqa: PLC0415

        namespace = self.namespace
        try:
            return FunctionId.parse(f"{namespace}/{name}")
        except ValueError as error:
            raise WrongUsageError(f"{name!r} cannot be a function's name: {error}") from error

    def debug(self, text: str) -> None:
        """Say something that only -v shows."""
        if self.verbose:
            echo(Styled(text, dim=True), err=True)
