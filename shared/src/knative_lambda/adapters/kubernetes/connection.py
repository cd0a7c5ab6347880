"""Where a Kubernetes API is, and how a caller proves who it is."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path


def no_credentials() -> None:
    """Of somebody who proves it by a certificate, or not at all."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Connection:
    """`authorization` gives the header of that name and is asked for every request."""

    server: str
    tls: Mapping[str, Any] = field(default_factory=dict)  # as urllib3 names them
    authorization: Callable[[], str | None] = no_credentials


def bearer(token: str) -> str:
    """The header that shows a token."""
    return f"Bearer {token}"


def bearer_of(token_file: Path) -> str:
    """The same for the token in a file, read anew because others rotate it."""
    if not (token := token_file.read_text().strip()):
        raise ValueError(f"{token_file} is empty")
    return bearer(token)
