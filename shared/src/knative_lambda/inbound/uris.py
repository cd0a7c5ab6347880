"""URIs and URI-references, as CloudEvents types them (RFC 3986).

Spaces and characters beyond ASCII are accepted, as Knative does: many senders write them, and
percent-decoding of a header yields them.
"""

from __future__ import annotations

import re

_BAD_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_AUTHORITY = re.compile(
    r"(?:[^@\[\]\s]*@)?"  # user information
    r"(?:\[[0-9A-Fa-f:.]+\]|\[[vV][0-9A-Fa-f]+\.[^\[\]\s]+\]|[^@:\[\]\s<>\"\\^`{|}]*)"
    r"(?::[0-9]*)?"
)
_END_OF_SEGMENT = re.compile(r"[/?#]")


def is_uri_reference(text: str) -> bool:
    """Whether a text is a URI, or a reference relative to one."""
    if not text or _BAD_ESCAPE.search(text):
        return False
    scheme = _SCHEME.match(text)
    rest = text[scheme.end() :] if scheme else text
    if rest.startswith("//"):
        return _AUTHORITY.fullmatch(_END_OF_SEGMENT.split(rest[2:], maxsplit=1)[0]) is not None
    # The first segment of a relative reference would look like a scheme.
    return scheme is not None or ":" not in _END_OF_SEGMENT.split(rest, maxsplit=1)[0]


def is_uri(text: str) -> bool:
    """Whether a text is a URI with a scheme."""
    return _SCHEME.match(text) is not None and is_uri_reference(text)
