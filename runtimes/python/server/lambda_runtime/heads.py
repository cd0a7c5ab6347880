"""The head of a response, before any of it is sent."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lambda_runtime.responses import Message

_STATUSES = range(100, 600)
_NAME = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_NO_VALUE = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")


def check_head(message: Message) -> None:
    """`ValueError` for a head that HTTP does not allow, while the response can still be a 500."""
    if message["status"] not in _STATUSES:
        raise ValueError(f"the response's status is {message['status']}")
    for name, value in message.get("headers", ()):
        if not _NAME.fullmatch(name):
            raise ValueError(f"the response has a header named {name!r:.60}")
        if _NO_VALUE.search(value):
            raise ValueError(f"the response's header {name.decode()} has a control character")
        if name.lower() == b"content-length" and not value.isdigit():
            raise ValueError(f"the response's content-length is {value!r:.60}")
