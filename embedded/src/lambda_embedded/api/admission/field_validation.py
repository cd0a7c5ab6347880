"""What a client wants to hear of fields that nobody knows: `fieldValidation` of a request."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lambda_embedded.api.errors import bad_request
from lambda_embedded.schemas.causes import cut

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from lambda_embedded.api.kinds.served import Kind

_MODES = ("", "Ignore", "Strict", "Warn")
# An answer's head has its limits, and a person reads the first ones.
_MOST_WARNINGS = 20


class FieldValidation:
    """Refuses unknown fields (`Strict`), collects warnings of them (`Warn`), or says nothing."""

    def __init__(self, mode: str = "Warn") -> None:
        if mode not in _MODES:
            taken = ", ".join(f'"{each}"' for each in _MODES)
            raise bad_request(f'fieldValidation: Unsupported value: "{mode[:100]}": {taken}')
        self._mode = mode or "Warn"
        self._warnings: list[str] = []

    @classmethod
    def of(cls, query: Mapping[str, str]) -> FieldValidation:
        """What a request asks for; kube-apiserver warns where nobody asks."""
        return cls(query.get("fieldValidation", ""))

    def tell(self, kind: Kind, unknown: Iterable[str]) -> None:
        """Say that fields are unknown; `ApiError` 400 where the client is strict."""
        messages = [f'unknown field "{path}"' for path in unknown]
        if messages and self._mode == "Strict":
            raise bad_request(
                f'{kind.kind} in version "{kind.version}" cannot be handled as a {kind.kind}: '
                f"strict decoding error: {', '.join(messages[:_MOST_WARNINGS])}"
            )
        if self._mode == "Warn":
            self._warnings += messages

    @property
    def warnings(self) -> list[str]:
        """Values of `Warning` headers (RFC 7234)."""
        return [
            '299 - "' + _quoted(message) + '"'
            for message in dict.fromkeys(self._warnings[:_MOST_WARNINGS])
        ]


def _quoted(message: str) -> str:
    printable = cut(message).encode("ascii", "backslashreplace").decode()
    printable = "".join(each if each.isprintable() else "?" for each in printable)
    return printable.replace("\\", "\\\\").replace('"', '\\"')
