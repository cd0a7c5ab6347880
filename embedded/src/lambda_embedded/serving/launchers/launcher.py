"""What to run for a revision: decided by the first launcher that accepts its template."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping, Sequence
    from pathlib import Path

    from lambda_embedded.holding import View


class LaunchError(Exception):
    """A template cannot be run; the message is for the person who deployed it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Command:
    """A program that serves HTTP on 127.0.0.1 at the port in its variable PORT.

    `$(NAME)` in an argument becomes the variable NAME. `environment` wins over the template's own
    variables, which win over `image_environment`. A program of others has a `view`: what it needs
    of this machine beside the system; our own have none and see everything.
    """

    arguments: Sequence[str]
    environment: Mapping[str, str]
    working_directory: Path
    image_environment: Mapping[str, str] = field(default_factory=dict)
    request_headers: Mapping[str, str] = field(default_factory=dict)
    """Added to every request by the gateway, by which the program tells it from others."""
    view: View | None = None


class Launcher(Protocol):
    """Turns pod templates of one sort into commands."""

    def accepts(self, template: Mapping[str, Any]) -> bool:
        """Say whether this launcher is for such a template."""
        ...

    async def prepare(self, namespace: str, name: str, template: Mapping[str, Any]) -> Command:
        """Return the command of a Service's template, or `LaunchError`; called at every start."""
        ...

    async def collect(self, templates: Callable[[], AsyncIterator[Mapping[str, Any]]]) -> None:
        """Give back what none of all templates needs; called whenever some have gone.

        Ask for them when nothing is prepared. With many, that need not be at every call.
        """
        ...


def first_container(template: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the one container that serves."""
    containers = (template.get("spec") or {}).get("containers") or []
    if not containers:
        raise LaunchError("spec.template.spec.containers is empty; give it one container")
    container: Mapping[str, Any] = containers[0]
    return container
