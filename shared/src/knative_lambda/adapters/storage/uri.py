"""Names of objects, checked before any storage is asked.

A URI here is not percent-encoded: what follows the bucket is the key as it is, as in every S3 tool.
Query strings and user names are never repeated in a message, because people paste presigned URLs.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from knative_lambda.domain.errors import LimitExceededError, UnsupportedSourceError

MAX_KEY_BYTES: Final = 1024
_MAX_SHOWN_CHARACTERS: Final = 200
_SCHEME: Final = re.compile(r"([a-z][a-z0-9+.-]{0,31})://")
_USER_INFO: Final = re.compile(r"(?<=://)[^/]*@")


def scheme_of(uri: str) -> str:
    """Return the scheme in lower case, or an empty string where there is none."""
    match = _SCHEME.match(uri.lower())
    return match.group(1) if match else ""


def shown(uri: str) -> str:
    """Return the URI as a message may show it: short, printable, without secrets."""
    text = _USER_INFO.sub("***@", uri.partition("?")[0])
    text = "".join(
        character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text
    )
    if len(text) > _MAX_SHOWN_CHARACTERS:
        return text[:_MAX_SHOWN_CHARACTERS] + "\N{HORIZONTAL ELLIPSIS}"
    return text


def require_object_key(uri: str, key: str) -> None:
    """Reject a key that names no single object."""
    if not key or key.endswith("/"):
        raise UnsupportedSourceError(
            f"{shown(uri)} names no object: the key is empty or ends in '/'",
        )
    _require_usable_key(uri, key)


def require_prefix(uri: str, key: str) -> None:
    """Reject a prefix that would also match the names beside it."""
    if not uri.endswith("/"):
        raise UnsupportedSourceError(f"{shown(uri)} is not a prefix: it must end in '/'")
    _require_usable_key(uri, key)


def more_than(limit: int, prefix: str) -> LimitExceededError:
    """Return the error for a prefix that holds too many objects."""
    return LimitExceededError(f"There are more than {limit} objects below {shown(prefix)}")


def _require_usable_key(uri: str, key: str) -> None:
    try:
        size_bytes = len(key.encode())
    except UnicodeEncodeError as error:
        raise UnsupportedSourceError(f"The key of {shown(uri)} is not valid Unicode") from error
    if size_bytes > MAX_KEY_BYTES:
        raise UnsupportedSourceError(
            f"The key of {shown(uri)} has {size_bytes} bytes, at most {MAX_KEY_BYTES} are possible",
        )
    if any(unicodedata.category(character) == "Cc" for character in key):
        raise UnsupportedSourceError(f"The key of {shown(uri)} holds control characters")
    # HTTP clients fold dot segments away, so such a key would reach another object or bucket.
    if not {".", ".."}.isdisjoint(key.split("/")):
        raise UnsupportedSourceError(
            f"The key of {shown(uri)} has a segment '.' or '..': write the plain key",
        )
