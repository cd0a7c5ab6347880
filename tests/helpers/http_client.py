"""HTTP as a stranger speaks it: any answer is an answer, also one that refuses."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path
    from ssl import SSLContext

TIMEOUT_SECONDS = 150.0


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def data(self) -> Any:
        return json.loads(self.body)

    @property
    def attributes(self) -> dict[str, str]:
        """Context attributes of a reply in binary mode."""
        prefix = "ce-"
        return {
            name.lower().removeprefix(prefix): value
            for name, value in self.headers.items()
            if name.lower().startswith(prefix)
        }


def request(
    method: str,
    url: str,
    body: bytes | None = None,
    headers: Mapping[str, str] | None = None,
    tls: SSLContext | None = None,
) -> Answer:
    asked = Request(url, data=body, method=method, headers=dict(headers or {}))
    try:
        with urlopen(asked, timeout=TIMEOUT_SECONDS, context=tls) as response:
            return Answer(response.status, dict(response.headers), response.read())
    except HTTPError as refusal:
        with refusal:
            return Answer(refusal.code, dict(refusal.headers), refusal.read())


def post_event(
    url: str, data: object, *, headers: Mapping[str, str] | None = None, **attributes: str
) -> Answer:
    """Binary mode; an id and a source are made where none is given."""
    attributes = {"specversion": "1.0", "id": uuid.uuid4().hex, "source": "/tests", **attributes}
    context = {f"ce-{name}": value for name, value in attributes.items()}
    body = json.dumps(data).encode()
    return request(
        "POST", url, body, {**context, "Content-Type": "application/json", **(headers or {})}
    )


def post_event_file(url: str, file: Path, *, headers: Mapping[str, str] | None = None) -> Answer:
    """Structured mode, the file as it is."""
    kind = {"Content-Type": "application/cloudevents+json"}
    return request("POST", url, file.read_bytes(), {**kind, **(headers or {})})
