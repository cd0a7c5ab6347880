"""Registries that lead to other servers, or nowhere."""

from __future__ import annotations

import json
import threading
import time
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from lambda_oci.descriptors import LAYER_GZIP, describe
from lambda_oci.errors import OciError, UnavailableError
from lambda_oci.http import OF_AN_EVENT, connection_pool
from lambda_oci.references import parse_repository
from lambda_oci.registry import RegistryRepository
from tests.helpers.s3_servers import CannedAnswer, answering_server

NOWHERE = "http://[x"


def connect(port, docker_config=None):
    location = parse_repository(f"http://127.0.0.1:{port}/tenant/fn")
    pool = connection_pool(location.origin, OF_AN_EVENT)
    return RegistryRepository.connect(location, docker_config, patience=OF_AN_EVENT, pool=pool)


class Server(ThreadingHTTPServer):
    """Requires a password where it has an `upload`, which is where uploads go on."""

    upload: str | None = None

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.port = self.server_address[1]
        self.given: list[str | None] = []


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_POST(self):
        self.server.given.append(given := self.headers.get("Authorization"))
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        is_denied = self.server.upload is not None and given is None
        self.send_response(401 if is_denied else 202 if self.command == "POST" else 201)
        self.send_header("WWW-Authenticate", 'Basic realm="registry"')
        self.send_header("Location", self.server.upload or "")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def do_PUT(self):
        self.do_POST()

    def log_message(self, *args):
        pass


@contextmanager
def serving():
    with Server() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.parametrize(
    "place",
    [
        "http://127.0.0.1:{other}/",
        "http://127.0.0.1:{registry}@127.0.0.1:{other}/",
        # Parsers of URLs disagree on which of the two is the host.
        "http://127.0.0.1:{other}\\@127.0.0.1:{registry}/",
    ],
)
def test_an_upload_to_another_server_is_sent_without_the_password(place, tmp_path):
    layer = tmp_path / "layer"
    layer.write_bytes(b"layer")
    with serving() as registry, serving() as other:
        registry.upload = place.format(registry=registry.port, other=other.port)
        entries = {f"127.0.0.1:{registry.port}": {"username": "builder", "password": "secret"}}
        (tmp_path / "config.json").write_text(json.dumps({"auths": entries}))
        connect(registry.port, tmp_path).add_blob(describe(LAYER_GZIP, b"layer"), layer)
    assert [given is None for given in registry.given] == [True, False]
    assert other.given == [None]


@pytest.mark.parametrize(
    ("answer", "call"),
    [
        (
            CannedAnswer(status=307, headers={"Location": NOWHERE}),
            lambda repository, layer: repository.find("v1"),
        ),
        (
            CannedAnswer(status=202, headers={"Location": NOWHERE}),
            lambda repository, layer: repository.add_blob(describe(LAYER_GZIP, b""), layer),
        ),
        (
            CannedAnswer(status=200, headers={"Link": f'<{NOWHERE}>; rel="next"'}, body=b"{}"),
            lambda repository, layer: repository.list_tags(),
        ),
    ],
    ids=["redirect", "upload", "page"],
)
def test_an_invalid_url_is_a_registry_in_trouble(answer, call, tmp_path):
    layer = tmp_path / "layer"
    layer.touch()
    with answering_server(answer) as (port, _), pytest.raises(UnavailableError) as raised:
        call(connect(port), layer)
    assert NOWHERE not in raised.value.message


@pytest.mark.parametrize(
    "answer",
    [
        CannedAnswer(status=401, headers={"WWW-Authenticate": "Basic " * 9000 + "\r\n x"}),
        CannedAnswer(status=401, headers={"WWW-Authenticate": "Bearer " + "a" * 60_000}),
        CannedAnswer(status=200, headers={"Link": "<" * 60_000}, body=b"{}"),
    ],
    ids=["schemes", "parameter", "link"],
)
def test_a_long_header_takes_no_long_time_to_read(answer):
    """A regular expression that tries each start holds all threads of the process meanwhile."""
    started = time.process_time()
    with answering_server(answer) as (port, _), suppress(OciError):
        connect(port).list_tags()
    assert time.process_time() - started < 2
