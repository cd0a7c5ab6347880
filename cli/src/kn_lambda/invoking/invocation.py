"""An invocation: the options of `invoke`, and the HTTP request that they make."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING
from urllib.parse import urlsplit, urlunsplit

from kn_lambda.cluster.records import is_http, subscribed_type
from kn_lambda.errors import WrongUsageError
from kn_lambda.invoking.input import (
    content_type,
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
    """An HTTP request that is not sent yet."""

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None

    def through(self, ingress: str) -> HttpRequest:
        """Return the same request to an ingress, which finds the function by the Host header."""
        parts = urlsplit(self.url)
        place = urlunsplit(("", "", parts.path, parts.query, ""))
        headers = {**self.headers, "Host": parts.netloc}
        return replace(self, url=ingress.rstrip("/") + (place or "/"), headers=headers)


@dataclass(frozen=True, kw_only=True, slots=True)
class Invocation:
    """The options of `invoke`, for the function of `record`."""

    record: KubernetesObject
    data: str | None = None
    type_: str | None = None
    event_file: Path | None = None
    method: str | None = None
    path: str | None = None

    @property
    def is_http(self) -> bool:
        """Whether to send a plain HTTP request, by the options or by the function's signature."""
        is_requested = self.method is not None or self.path is not None
        return is_requested or is_http(self.record)

    def check(self, *, is_async: bool = False) -> None:
        """Raise `WrongUsageError` for options that do not fit the function's signature.

        What goes through the Broker is an event, for functions of either signature.
        """
        if is_async:
            if self.method is not None or self.path is not None:
                raise WrongUsageError(
                    "--method and --path do not work with --async, which sends an event",
                    hint="Leave out --async, or pass them on in the event's --data.",
                )
            return
        if self.is_http and (self.event_file or self.type_):
            raise WrongUsageError(
                "--event and --type are for functions with the signature cloudevent",
                hint="Use --data, --method and --path for plain HTTP requests.",
            )

    def event(self) -> CloudEvent:
        """Return the event to send."""
        if self.event_file is not None:
            return read_event(self.event_file, self.type_, read_data(self.data))
        return make_event(self.type_ or subscribed_type(self.record), read_data(self.data))

    def request(self, url: str) -> HttpRequest:
        """Return the request to the function's URL."""
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
