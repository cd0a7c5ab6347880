"""How a request wants unknown fields handled: its `fieldValidation` parameter."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lambda_embedded.api.errors import bad_request
from lambda_embedded.schemas.causes import cut

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from lambda_embedded.api.kinds.served import Kind

_MODES = ("", "Ignore", "Strict", "Warn")
# The head of a response is limited, and a person reads only the first ones.
_MOST_WARNINGS = 20


class FieldValidation:
    """Rejects unknown fields (`Strict`), collects warnings (`Warn`), or ignores them."""

    def __init__(self, mode: str = "Warn") -> None:
        if mode not in _MODES:
            taken = ", ".join(f'"{each}"' for each in _MODES)
            raise bad_request(f'fieldValidation: Unsupported value: "{mode[:100]}": {taken}')
        self._mode = mode or "Warn"
        self._warnings: list[str] = []

    @classmethod
    def of(cls, query: Mapping[str, str]) -> FieldValidation:
        """Read a request's parameter; as in kube-apiserver, the default is to warn."""
        return cls(query.get("fieldValidation", ""))

    def tell(self, kind: Kind, unknown: Iterable[str]) -> None:
        """Report unknown fields; `ApiError` 400 in strict mode."""
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
