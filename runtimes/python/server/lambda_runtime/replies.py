"""The response to a request, from what its handler returned."""

from __future__ import annotations

import base64
import json
import re
import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from lambda_runtime.errors import InvalidReplyError
from lambda_runtime.responses import NO_CONTENT, Response

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lambda_runtime.responses import Headers

# Printable ASCII without space, quote and percent: what a header may hold as it is.
_SAFE = "!#$&'()*+,-./:;<=>?@[\\]^_`{|}~"
_UNSAFE = re.compile(r'[^\x21-\x7e]|["%]')
_ATTRIBUTE_NAME = re.compile(r"[a-z0-9]+")
# Optional, and no event where they are empty: a Broker would not take it.
_NOT_EMPTY = ("subject", "time", "dataschema")
_CARRIED_OVER = ("correlationid", "traceparent")


@dataclass(frozen=True, kw_only=True)
class ReplyEncoder:
    """Turns results into replies in the name of one function."""

    namespace: str
    name: str

    def __call__(self, request: Mapping[str, Any], result: Any) -> Response:
        """204 for None, else one CloudEvent; `InvalidReplyError` for what cannot be sent."""
        if result is None:
            return NO_CONTENT
        if hasattr(result, "get_attributes") and hasattr(result, "get_data"):
            attributes = {k: v for k, v in result.get_attributes().items() if v is not None}
            data = result.get_data()
        else:
            attributes = self._attributes_of_reply_to(request)
            data = result
        for extension in _CARRIED_OVER:
            if extension in request:
                attributes.setdefault(extension, request[extension])
        # Always ours: the function's own Triggers leave out what carries its name.
        attributes["lambdafunction"] = f"{self.namespace}/{self.name}"
        # A copy of an event that was for this function alone is for whoever subscribes to it.
        if attributes.get("lambdatarget") == f"/{self.namespace}/{self.name}":
            del attributes["lambdatarget"]
        return _binary_response(attributes, data)

    def _attributes_of_reply_to(self, request: Mapping[str, Any]) -> dict[str, Any]:
        event_type = f"{request['type']}.reply"
        # Ids are unique per source only, so the source of the request is part of the name.
        identity = f"{request['source']}\n{request['id']}\n{event_type}"
        return {
            "specversion": "1.0",
            "id": str(uuid.uuid5(uuid.NAMESPACE_URL, identity)),
            "source": f"/namespaces/{self.namespace}/functions/{self.name}",
            "type": event_type,
        }


def _binary_response(attributes: dict[str, Any], data: Any) -> Response:
    content_type = attributes.pop("datacontenttype", None)
    headers: Headers = []
    for name in ("id", "source", "type"):
        if not attributes.get(name):
            raise InvalidReplyError(f'the returned CloudEvent has no "{name}"')
    for name, value in attributes.items():
        if value == "" and name in _NOT_EMPTY:
            continue
        if not _ATTRIBUTE_NAME.fullmatch(name):
            raise InvalidReplyError(f'the returned CloudEvent has an invalid attribute "{name}"')
        headers.append((b"ce-" + name.encode(), _header_value(value)))
    body, default_content_type = _encode(content_type, data)
    content_type = content_type or default_content_type
    if content_type is not None:
        headers.append((b"content-type", _content_type(content_type)))
    headers.append((b"content-length", b"%d" % len(body)))
    return Response(200, headers, body)


def _header_value(value: Any) -> bytes:
    if isinstance(value, bool):
        text = "true" if value else "false"
    elif isinstance(value, datetime):
        text = value.isoformat().replace("+00:00", "Z")
    elif isinstance(value, bytes):
        text = base64.b64encode(value).decode()
    else:
        text = str(value)
    if _UNSAFE.search(text):
        text = quote(text, safe=_SAFE, errors="replace")
    return text.encode("ascii")


def _content_type(value: str) -> bytes:
    if not (value.isascii() and value.isprintable()):
        raise InvalidReplyError("the returned CloudEvent has an invalid datacontenttype")
    return value.encode()


def _encode(content_type: str | None, data: Any) -> tuple[bytes, str | None]:
    if data is None:
        return b"", None
    if isinstance(data, bytes | bytearray | memoryview):
        return bytes(data), "application/octet-stream"
    if isinstance(data, str) and content_type is not None:
        # As the CloudEvents SDK: text with a content type is the content already.
        return data.encode("utf-8", "replace"), None
    try:
        text = json.dumps(data, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidReplyError(
            f"the returned {type(data).__name__} is not JSON: {error}"
        ) from None
    return text.encode("utf-8", "replace"), "application/json"
