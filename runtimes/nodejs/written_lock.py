"""The lock of an installation, as it is kept beside the packages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from translation import Translation


def written_lock(document: Any, translation: Translation) -> Any:
    """The lock that npm left: addresses of what did not come from the index, and no others."""
    if isinstance(document, list):
        return [written_lock(each, translation) for each in document]
    if isinstance(document, str):
        return translation.original(document)
    if not isinstance(document, dict):
        return document
    return {
        name: written_lock(value, translation)
        for name, value in document.items()
        if name != "resolved" or (isinstance(value, str) and translation.is_outside(value))
    }
