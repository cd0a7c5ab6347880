"""Credentials are found however config.json names the registry, and never sent in clear text."""

from __future__ import annotations

import base64
import json
import ssl
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs

import pytest

from knative_lambda.adapters.registry import SchemeImageRegistry
from knative_lambda.domain.errors import RegistryUnavailableError
from tests.helpers.certificate_authority import make_authority

REPOSITORY = "lambdas/default/hello"
BASIC = "Basic " + base64.b64encode(b"builder:hunter2").decode()
PASSWORD = {"username": "builder", "password": "hunter2"}
IDENTITY = {"identitytoken": "of-the-builder"}


class Registry(ThreadingHTTPServer):
    """Lists no tags, to those who bring the token that its own service gives for credentials."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.scheme = "http"
        self.realm = f"http://localhost:{self.server_port}/token"
        self.seen = []

    @property
    def challenge(self):
        return f'Bearer realm="{self.realm}",service="s"'

    @property
    def host(self):
        return f"localhost:{self.server_port}"

    @property
    def repository(self):
        return f"{self.scheme}://{self.host}/{REPOSITORY}"


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        given = self.headers.get("Authorization")
        self.server.seen.append(given)
        if self.path.startswith("/token?"):
            self.respond(200 if given == BASIC else 401, {"token": "t"})
        else:
            self.respond(200 if given == "Bearer t" else 401, {"tags": None})

    def do_POST(self):
        form = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self.server.seen.append(form)
        is_known = parse_qs(form).get("refresh_token") == [IDENTITY["identitytoken"]]
        self.respond(200 if is_known else 401, {"access_token": "t"})

    def respond(self, status, document):
        content = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        if status == 401:
            self.send_header("WWW-Authenticate", self.server.challenge)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_):
        pass


@contextmanager
def serving(server):
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def registry():
    with serving(Registry()) as server:
        yield server


@pytest.fixture
def https_registry(tmp_path, monkeypatch):
    authority = make_authority(tmp_path / "authority", "localhost")
    monkeypatch.delenv("REQUESTS_CA_BUNDLE", raising=False)
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.certificate))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority.server)
    server = Registry()
    server.socket = context.wrap_socket(server.socket, server_side=True)
    server.scheme = "https"
    with serving(server):
        yield server


@pytest.fixture
def control_plane(tmp_path):
    """The control plane's registry with one entry in config.json."""

    def control_plane(key, entry):
        (tmp_path / "config.json").write_text(json.dumps({"auths": {key: entry}}))
        return SchemeImageRegistry(docker_config=str(tmp_path))

    return control_plane


@pytest.mark.parametrize("entry", [PASSWORD, IDENTITY], ids=["password", "identity token"])
@pytest.mark.parametrize(
    "key",
    [
        "{host}",
        "http://{host}",
        "https://{host}",
        "https://{host}/v1/",
        "https://{host}/v2/",
        "{host}/lambdas",
        "https://{host}/lambdas/default/hello",
        "LOCALHOST:{port}",
    ],
)
def test_credentials_are_found_however_the_registry_is_named(registry, control_plane, key, entry):
    name = key.format(host=registry.host, port=registry.server_port)
    assert control_plane(name, entry).list_tags(registry.repository) == []


@pytest.mark.parametrize("key", ["localhost", "{host}/other", "other.test"])
def test_credentials_of_others_stay_at_home(registry, control_plane, key):
    with pytest.raises(RegistryUnavailableError, match="check the registry secret"):
        control_plane(key.format(host=registry.host), PASSWORD).list_tags(registry.repository)
    assert BASIC not in registry.seen


def test_new_credentials_are_found_without_a_restart(registry, control_plane):
    repository = registry.repository
    images = control_plane(registry.host, PASSWORD | {"password": "of yesterday"})
    with pytest.raises(RegistryUnavailableError):
        images.list_tags(repository)
    control_plane(registry.host, PASSWORD)
    assert images.list_tags(repository) == []


@pytest.mark.parametrize("entry", [PASSWORD, IDENTITY], ids=["password", "identity token"])
def test_an_https_registry_gets_no_credentials_sent_in_clear_text(
    registry, https_registry, control_plane, entry
):
    images = control_plane(https_registry.host, entry)
    https_registry.realm = f"https://{https_registry.host}/token"
    assert images.list_tags(https_registry.repository) == []
    https_registry.realm = registry.realm
    images = control_plane(https_registry.host, entry)
    with pytest.raises(RegistryUnavailableError, match="without encryption"):
        images.list_tags(https_registry.repository)
    assert registry.seen == []


def test_an_identity_token_follows_no_redirect(registry, control_plane, monkeypatch):
    elsewhere = f"http://localhost:{registry.server_port}/elsewhere"

    def redirect(handler):
        handler.server.seen.append(handler.path)
        handler.rfile.read(int(handler.headers["Content-Length"]))
        handler.send_response(307)
        handler.send_header("Location", elsewhere)
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    monkeypatch.setattr(_Handler, "do_POST", redirect)
    with pytest.raises(RegistryUnavailableError, match="gives no token"):
        control_plane(registry.host, IDENTITY).list_tags(registry.repository)
    assert registry.seen == [None, "/token"]


@pytest.mark.parametrize(
    "token", ["", None, 5, "t\r\nX-Other: 1", "\u00e9", "t" * 100_000], ids=range(6)
)
def test_a_token_is_a_text_of_bounded_length_for_a_header(
    registry, control_plane, monkeypatch, token
):
    def give(handler):
        is_token = handler.path.startswith("/token?")
        handler.respond(200 if is_token else 401, {"token": token})

    monkeypatch.setattr(_Handler, "do_GET", give)
    with pytest.raises(RegistryUnavailableError, match="sent no token"):
        control_plane(registry.host, PASSWORD).list_tags(registry.repository)


def test_a_token_service_in_trouble_is_asked_again(registry, control_plane, monkeypatch):
    def fail(handler):
        is_token = handler.path.startswith("/token?")
        handler.server.seen.append(handler.path)
        handler.respond(503 if is_token else 401, {})

    monkeypatch.setattr(_Handler, "do_GET", fail)
    with pytest.raises(RegistryUnavailableError, match="503, 3 times"):
        control_plane(registry.host, PASSWORD).list_tags(registry.repository)
    assert len(registry.seen) == 6


def test_the_scope_that_a_registry_asks_for_is_asked_of_its_token_service(
    registry, control_plane, monkeypatch
):
    ours, others = f"repository:{REPOSITORY}", "repository:other/fn:pull"
    asks = f'Bearer realm="{registry.realm}",scope="{ours}:metadata_read,pull {others}"'
    monkeypatch.setattr(Registry, "challenge", asks)
    scopes = []

    def give(handler):
        if handler.path.startswith("/token?"):
            scopes.append(parse_qs(handler.path.partition("?")[2])["scope"])
        is_given = handler.headers.get("Authorization") in {BASIC, "Bearer t"}
        handler.respond(200 if is_given else 401, {"token": "t", "tags": []})

    monkeypatch.setattr(_Handler, "do_GET", give)
    assert control_plane(registry.host, PASSWORD).list_tags(registry.repository) == []
    assert scopes == [[f"{ours}:pull", f"{ours}:metadata_read,pull"]]


def test_a_basic_challenge_is_met_with_the_password(registry, control_plane, monkeypatch):
    monkeypatch.setattr(Registry, "challenge", 'Basic realm="http://elsewhere.test"')
    with pytest.raises(RegistryUnavailableError, match="check the registry secret"):
        control_plane(registry.host, PASSWORD).list_tags(registry.repository)
    assert registry.seen == [None, BASIC]
