"""What to run for a revision: decided by the first launcher that accepts its template."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping, Sequence
    from pathlib import Path

    from lambda_sandbox.isolation import View


class LaunchError(Exception):
    """The template cannot be run; the message is for whoever deployed it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Command:
    """A program that serves HTTP on 127.0.0.1 at the port in its variable PORT.

    `$(NAME)` in an argument is the variable NAME. `environment` wins over the template's own
    variables, which win over `image_environment`. A program of others has a `view`: what it needs
    of this machine beside the system; our own have none and see everything.
    """

    arguments: Sequence[str]
    environment: Mapping[str, str]
    working_directory: Path
    image_environment: Mapping[str, str] = field(default_factory=dict)
    request_headers: Mapping[str, str] = field(default_factory=dict)
    """Added by the gateway to every request, so that the program knows its caller."""
    takes_token: bool = False
    """Whether the gateway leaves the platform's token in requests to it."""
    view: View | None = None


class Launcher(Protocol):
    """Turns pod templates of one sort into commands."""

    def accepts(self, template: Mapping[str, Any]) -> bool:
        """Return whether this launcher is for such a template."""
        ...

    async def prepare(self, namespace: str, name: str, template: Mapping[str, Any]) -> Command:
        """Return the command of a Service's template, or `LaunchError`; called at every start."""
        ...

    async def collect(self, templates: Callable[[], AsyncIterator[Mapping[str, Any]]]) -> None:
        """Remove what no template needs; called whenever templates were removed.

        Call `templates` only while nothing is being prepared; not every call needs to.
        """
        ...


def first_container(template: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the container that serves; `LaunchError` if there is none."""
    containers = (template.get("spec") or {}).get("containers") or []
    if not containers:
        raise LaunchError("spec.template.spec.containers is empty; give it one container")
    container: Mapping[str, Any] = containers[0]
    return container
