"""Requests as functions-framework hands them over, without a server."""

from __future__ import annotations

import io
import json
from typing import Any

from flask import Request
from werkzeug.test import EnvironBuilder

from knative_lambda.domain.events import BuildStarted, Reply
from knative_lambda.domain.names import FunctionId
from knative_lambda.inbound.endpoint import Endpoint

HELLO = FunctionId("default", "hello")
BINARY = {
    "ce-specversion": "1.0",
    "ce-id": "1",
    "ce-source": "/test",
    "ce-type": "t",
    "content-type": "application/json",
}
ATTRIBUTES = {"specversion": "1.0", "id": "1", "source": "/test", "type": "t"}
STRUCTURED = {"content-type": "application/cloudevents+json"}


def request(
    headers: dict[str, str] | None = None,
    body: bytes = b"{}",
    *,
    method: str = "POST",
    path: str = "/",
    **environ: Any,
) -> Request:
    """A request; without headers, a binary event. `environ` changes what WSGI says of it."""
    builder = EnvironBuilder(
        method=method, path=path, headers=BINARY if headers is None else headers, data=body
    )
    made = builder.get_environ()
    builder.close()
    return Request(made | environ)


def structured(**attributes: Any) -> Request:
    """A structured event; an attribute of None is left out."""
    event = {k: v for k, v in (ATTRIBUTES | attributes).items() if v is not None}
    return request(STRUCTURED, json.dumps(event).encode())


def chunked(body: bytes, headers: dict[str, str] | None = None) -> Request:
    """A request whose length nobody says, as gunicorn hands it over."""
    made = request(headers, b"").environ
    made.pop("CONTENT_LENGTH", None)
    made |= {
        "wsgi.input": io.BytesIO(body),
        "wsgi.input_terminated": True,
        "HTTP_TRANSFER_ENCODING": "chunked",
    }
    return Request(made)


class Recorder:
    """An endpoint that takes type `t`, remembers the events and answers as told."""

    def __init__(self, answer: Reply | Exception | None = None) -> None:
        self.events: list[Any] = []
        self.answer = answer
        self.endpoint = Endpoint(source="/knative-lambda/test", handlers=lambda: {"t": self._take})

    def _take(self, event: Any) -> Reply | None:
        self.events.append(event)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    def send(self, made: Request) -> tuple[int, dict[str, str], bytes]:
        """Status, headers and body of the answer."""
        body, status, headers = self.endpoint(made)
        return int(status), headers, body

    def refusal(self, made: Request) -> tuple[int, dict[str, str]]:
        """Status and decoded body of an answer that is no 2xx."""
        status, headers, body = self.send(made)
        assert status >= 400
        assert headers["Content-Type"] == "application/json"
        assert len(body) <= 512
        return status, json.loads(body)


def started() -> Reply:
    """A reply as build-start gives."""
    return Reply(type="started", function=HELLO, data=BuildStarted(build_id="0" * 64, job="j"))
