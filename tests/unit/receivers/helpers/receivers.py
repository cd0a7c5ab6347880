"""Every receiver as a function: a message in, the attributes or the refused field out."""

from __future__ import annotations

import base64
import io
import json
import subprocess
from http import HTTPStatus
from pathlib import Path

from flask import Request
from lambda_runtime.errors import RejectedRequestError
from lambda_runtime.events import read_event, typed_data
from werkzeug.test import EnvironBuilder

from knative_lambda.domain.errors import InvalidEventError
from knative_lambda.inbound.cloud_events import decode
from knative_lambda.inbound.http_binding import from_http
from tests.unit.receivers.helpers.cloudevent_vectors import BASE, DATA, TEXTS, VECTORS

_SERVERS = Path(__file__).parents[4] / "runtimes"

NODE_DOOR = """
const { readEvent } = require(process.argv[1] + "/lambda_runtime/events.js");
const plain = (v) => Buffer.isBuffer(v) ? { base64: v.toString("base64") } : { value: v };
const read = ({ headers, body }) => {
  try {
    const event = readEvent(headers.flat(), Buffer.from(body, "base64"));
    return { seen: event, data: plain(event.data) };
  } catch (error) {
    if (error.status !== 400) throw error;
    return { field: error.field ?? null };
  }
};
const messages = JSON.parse(require("node:fs").readFileSync(0, "utf8"));
console.log(JSON.stringify(messages.map(read)));
"""


def data_message(data):
    """A vector of data as headers and body."""
    headers = [(f"ce-{name}", value.encode()) for name, value in BASE.items()]
    if data.content_type is not None:
        headers.append(("content-type", data.content_type.encode()))
    return headers, data.body


def _canonical(attributes):
    words = {True: "true", False: "false"}
    return {
        name: words[value] if isinstance(value, bool) else str(value)
        for name, value in attributes.items()
    }


class Broker:
    """The embedded Broker, which looks at no data; headers as aiohttp gives them."""

    def __call__(self, headers, body):
        given = [(name, value.decode("utf-8", "surrogateescape")) for name, value in headers]
        try:
            return dict(from_http(given, body).attributes), None
        except InvalidEventError as error:
            return None, error.field


class ControlFunction:
    """A control function, which WSGI gives headers in Latin-1, joined where they repeat."""

    def __call__(self, headers, body):
        try:
            event = decode(dict(self._request(headers, body).headers), body)
        except InvalidEventError as error:
            return None, error.field
        known = {"id": event.id, "source": event.source, "type": event.type, "specversion": "1.0"}
        if event.subject is not None:
            known["subject"] = event.subject
        return {**event.extensions, **known}, None

    def data(self, headers, body):
        return decode(dict(self._request(headers, body).headers), body).data

    def _request(self, headers, body):
        builder = EnvironBuilder(method="POST")
        environ = builder.get_environ()
        builder.close()
        environ["wsgi.input"] = io.BytesIO(body)
        environ.pop("CONTENT_TYPE", None)
        for name, value in headers:
            # gunicorn leaves out what could be mistaken for another header.
            if "_" in name:
                continue
            key = name.upper().replace("-", "_")
            key = key if key == "CONTENT_TYPE" else f"HTTP_{key}"
            text = value.decode("latin-1")
            environ[key] = f"{environ[key]},{text}" if key in environ else text
        return Request(environ)


class Python:
    """The Python runtime; headers as ASGI gives them."""

    def __call__(self, headers, body):
        try:
            return _canonical(self._read(headers, body)[0]), None
        except RejectedRequestError as refusal:
            return (
                None,
                refusal.field if refusal.status == HTTPStatus.BAD_REQUEST else refusal.reason,
            )

    def data(self, headers, body):
        return self._read(headers, body)[1]

    def _read(self, headers, body):
        return read_event([(n.lower().encode(), v) for n, v in headers], body, typed_data)


class Node:
    """The Node.js runtime: one process reads all vectors; headers as Node gives them."""

    def __init__(self, node):
        messages = [(v.headers, v.body) for v in VECTORS]
        messages += [data_message(data) for data in (*DATA, *TEXTS)]
        asked = [
            {
                "headers": [[name, value.decode("latin-1")] for name, value in headers],
                "body": base64.b64encode(body).decode(),
            }
            for headers, body in messages
        ]
        ran = subprocess.run(
            [node, "-e", NODE_DOOR, str(_SERVERS / "nodejs" / "server")],
            input=json.dumps(asked).encode(),
            stdout=subprocess.PIPE,
            check=True,
        )
        outcomes = json.loads(ran.stdout)
        self._outcomes = {
            self._key(*message): outcome
            for message, outcome in zip(messages, outcomes, strict=True)
        }

    def __call__(self, headers, body):
        outcome = self._outcomes[self._key(headers, body)]
        return (
            (_canonical(outcome["seen"]), None) if "seen" in outcome else (None, outcome["field"])
        )

    def data(self, headers, body):
        data = self._outcomes[self._key(headers, body)]["data"]
        return base64.b64decode(data["base64"]) if "base64" in data else data.get("value")

    def _key(self, headers, body):
        return tuple(headers), body
