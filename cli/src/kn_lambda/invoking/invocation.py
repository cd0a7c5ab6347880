"""What is asked of a function: an event, or a request over HTTP."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING
from urllib.parse import urlsplit, urlunsplit

from kn_lambda.cluster.records import is_http, subscribed_type
from kn_lambda.errors import WrongUsageError
from kn_lambda.invoking.input import (
    content_type,
    json_mistake,
    make_event,
    read_data,
    read_event,
)
from knative_lambda.inbound.http_binding import to_http

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from knative_lambda.adapters.kubernetes.client import KubernetesObject
    from knative_lambda.inbound.valid_event import CloudEvent


@dataclass(frozen=True, kw_only=True, slots=True)
class HttpRequest:
    """One request over HTTP."""

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None

    def through(self, ingress: str) -> HttpRequest:
        """The same to another address, which finds the function by the name that was meant."""
        parts = urlsplit(self.url)
        place = urlunsplit(("", "", parts.path, parts.query, ""))
        headers = {**self.headers, "Host": parts.netloc}
        return replace(self, url=ingress.rstrip("/") + (place or "/"), headers=headers)


@dataclass(frozen=True, kw_only=True, slots=True)
class Invocation:
    """What the options of `invoke` say, for the function of `record`."""

    record: KubernetesObject
    data: str | None = None
    type_: str | None = None
    event_file: Path | None = None
    method: str | None = None
    path: str | None = None

    @property
    def is_http(self) -> bool:
        """Whether it gets a plain request: by its record, or because the code decided so."""
        asked = self.method is not None or self.path is not None
        return asked or is_http(self.record)

    def check(self) -> None:
        """Refuse options that are for the other kind of function."""
        if self.is_http and (self.event_file or self.type_):
            raise WrongUsageError("--event and --type are for functions of signature cloudevent")

    def json_mistake(self) -> str | None:
        """Say what is wrong with `--data` on the command line that looks like JSON."""
        given = self.data or ""
        return None if given == "-" or given.startswith("@") else json_mistake(given.encode())

    def event(self) -> CloudEvent:
        """Return the event that is meant."""
        if self.event_file is not None:
            return read_event(self.event_file, self.type_, read_data(self.data))
        return make_event(self.type_ or subscribed_type(self.record), read_data(self.data))

    def request(self, url: str) -> HttpRequest:
        """Return the request that is to be sent to the function's URL."""
        if not self.is_http:
            headers, content = to_http(self.event())
            return HttpRequest(method="POST", url=url, headers=headers, body=content)
        body = read_data(self.data)
        return HttpRequest(
            method=(self.method or ("GET" if body is None else "POST")).upper(),
            url=f"{url.rstrip('/')}/{(self.path or '').lstrip('/')}",
            headers={} if body is None else {"Content-Type": content_type(body)},
            body=body,
        )
