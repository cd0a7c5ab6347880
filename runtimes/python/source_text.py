"""Text that anybody may have written: read within a limit, and shown shortly."""

from __future__ import annotations

from typing import TYPE_CHECKING

from installer_errors import RecipeError, without_credentials

if TYPE_CHECKING:
    from pathlib import Path

MANIFEST_BYTES = 1024 * 1024
LOCK_BYTES = 16 * 1024 * 1024
_SHOWN_CHARACTERS = 100


def read_text(file: Path, max_bytes: int) -> str:
    """The text of a file, less its byte order mark; `InvalidRequirements` says why it is none."""
    with file.open("rb") as stream:
        content = stream.read(max_bytes + 1)
    if len(content) > max_bytes:
        message = f"{file.name} is larger than {max_bytes // 1024**2} MiB"
        raise RecipeError("InvalidRequirements", message)
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise RecipeError("InvalidRequirements", f"{file.name} is not UTF-8") from None


def shown(text: str) -> str:
    """The text for a message: without credentials, and its beginning where it is long."""
    text = without_credentials(text)
    return text if len(text) <= _SHOWN_CHARACTERS else f"{text[:_SHOWN_CHARACTERS]}..."
