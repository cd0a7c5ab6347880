"""How a server starts with a debugger, and what an editor needs to attach to it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from kn_lambda.errors import CommandError
from lambda_embedded.listeners import PortTakenError, bind

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from lambda_builder.language import Debugger

NO_TIMEOUT_SECONDS = 7 * 24 * 3600
"""A request may take this long: somebody looks at it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Debugging:
    """One debugger on one port of 127.0.0.1."""

    debugger: Debugger
    port: int
    packages: Path | None
    source: Path
    """As the server sees it."""
    folder: Path
    """As the author does."""

    def require_port(self) -> None:
        """Raise `CommandError` if another program has the port: the server would go without."""
        try:
            bind({"debugger": self.port}, {}, {"debugger": "--debug-port"})["debugger"].close()
        except PortTakenError as error:
            raise CommandError(str(error)) from error

    def entrypoint(self, command: list[str], *, waits: bool) -> list[str]:
        """Return the command of the server with its debugger, which waits for somebody or not."""
        options = self.debugger.waiting if waits else self.debugger.options
        return [command[0], *(self._text(word) for word in options), *command[1:]]

    def configuration(self, name: str) -> str:
        """Return the entry for VS Code's launch.json."""
        return json.dumps({"name": name, **self._value(self.debugger.attach)}, indent=2)

    def _value(self, template: Any) -> Any:  # noqa: ANN401 # a document
        match template:
            case "{port}":
                return self.port
            case str():
                return self._text(template)
            case dict():
                return {key: self._value(value) for key, value in template.items()}
            case list():
                return [self._value(value) for value in template]
            case _:
                return template

    def _text(self, template: str) -> str:
        words: Mapping[str, str] = {
            "{port}": str(self.port),
            "{packages}": str(self.packages or ""),
            "{source}": str(self.source),
            "{folder}": str(self.folder),
        }
        for word, value in words.items():
            template = template.replace(word, value)
        return template
