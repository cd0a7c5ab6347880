"""Settings of a function's process, which the platform passes in its environment."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from lambda_runtime.errors import StartupError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Number = TypeVar("Number", int, float)

CLOUDEVENT = "cloudevent"
HTTP = "http"


@dataclass(frozen=True, kw_only=True)
class Settings:
    """One function: where its files are, what to call, and under which limits."""

    host: str
    port: int
    root: str
    handler: str
    signature: str
    namespace: str
    name: str
    timeout_seconds: float
    concurrency: int
    max_body_bytes: int

    @property
    def source_folder(self) -> str:
        """Where the user's own files are."""
        return f"{self.root}/source"

    @property
    def packages_folder(self) -> str:
        """Where the packages are that the user's files ask for."""
        return f"{self.root}/packages"


def read_settings() -> Settings:
    """The settings of this process; `StartupError` names the variable that is wrong."""
    return settings_from(os.environ)  # noqa: TID251 - this is the settings class of the runtime


def settings_from(environment: Mapping[str, str]) -> Settings:
    """Settings out of any mapping."""
    namespace, _, name = environment.get("FUNCTION_NAME", "default/function").rpartition("/")
    signature = environment.get("FUNCTION_SIGNATURE") or CLOUDEVENT
    if signature not in (CLOUDEVENT, HTTP):
        message = f'FUNCTION_SIGNATURE is "{signature}"; it may be cloudevent or http'
        raise StartupError("InvalidSettings", message)
    return Settings(
        host=environment.get("HOST") or "0.0.0.0",  # noqa: S104 - a container's only interface
        port=_number(environment, "PORT", 8080, int, at_least=0, at_most=65535),
        root=os.path.realpath(environment.get("FUNCTION_ROOT") or "/function"),
        handler=environment.get("FUNCTION_HANDLER") or "main.handler",
        signature=signature,
        namespace=namespace or "default",
        name=name or "function",
        timeout_seconds=_number(environment, "FUNCTION_TIMEOUT_SECONDS", 60.0, float, at_least=0),
        concurrency=_number(environment, "FUNCTION_CONCURRENCY", 10, int, at_least=1),
        max_body_bytes=_number(environment, "FUNCTION_MAX_BODY_BYTES", 6 << 20, int, at_least=0),
    )


def _number(
    environment: Mapping[str, str],
    variable: str,
    default: Number,
    kind: Callable[[str], Number],
    *,
    at_least: int,
    at_most: float = sys.float_info.max,
) -> Number:
    text = environment.get(variable)
    try:
        value = kind(text) if text else default
    except ValueError:
        value = None
    if value is None or not at_least <= value <= at_most:
        most = f" and at most {at_most}" if at_most < sys.float_info.max else ""
        message = f'{variable} is "{text}"; it must be a number of at least {at_least}{most}'
        raise StartupError("InvalidSettings", message)
    return value
