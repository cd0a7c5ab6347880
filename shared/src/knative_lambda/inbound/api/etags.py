"""ETags of what Kubernetes versions, and conditional requests for it (RFC 9110)."""

from __future__ import annotations

import re

_TAG = re.compile(r'(?:W/)?("[^"]*")')


def etag(resource_version: str) -> str:
    """Return the tag of a version."""
    return f'"{resource_version}"'


def is_known(tag: str, if_none_match: str | None) -> bool:
    """Whether the caller has this version already; by the weak comparison that GET asks for."""
    if if_none_match is None:
        return False
    return if_none_match.strip() == "*" or tag in _TAG.findall(if_none_match)
