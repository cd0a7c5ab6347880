"""Registries that hand their tokens out elsewhere, and registries in trouble."""

from __future__ import annotations

import base64
import datetime as dt
import http.client
import json
import threading
import time
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from knative_lambda.domain.errors import RegistryUnavailableError, RejectedByPlatformError
from tests.helpers.publishing import HOW, Publishing
from tests.helpers.registries import PASSWORD, USER, running_registry


def encoded(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


class TokenService(ThreadingHTTPServer):
    """Signs tokens for whoever knows the password, as the registry's own specification says."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _TokenHandler)
        self.scopes: list[list[str]] = []
        self._key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "tokens")])
        now = dt.datetime.now(dt.UTC)
        self.certificate = (
            x509.CertificateBuilder(name, name, self._key.public_key(), x509.random_serial_number())
            .not_valid_before(now - dt.timedelta(days=1))
            .not_valid_after(now + dt.timedelta(days=1))
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .sign(self._key, hashes.SHA256())
        )

    def token(self, scopes: list[str]) -> str:
        self.scopes.append(scopes)
        access = [
            {"type": kind, "name": name, "actions": actions.split(",")}
            for kind, name, actions in (scope.split(":") for scope in scopes)
        ]
        der = self.certificate.public_bytes(serialization.Encoding.DER)
        header = {"typ": "JWT", "alg": "RS256", "x5c": [base64.b64encode(der).decode()]}
        times = {"iat": int(time.time()), "nbf": int(time.time()) - 60, "exp": time.time() + 300}
        claims = {"iss": "tokens", "aud": "registry", "sub": USER, "jti": "1", "access": access}
        claims |= {name: int(value) for name, value in times.items()}
        signed = f"{encoded(json.dumps(header).encode())}.{encoded(json.dumps(claims).encode())}"
        signature = self._key.sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256())
        return f"{signed}.{encoded(signature)}"


class _TokenHandler(BaseHTTPRequestHandler):
    def do_GET(self):
        expected = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        if self.headers.get("Authorization") == f"Basic {expected}":
            query = parse_qs(urlsplit(self.path).query)
            self._answer(200, {"token": self.server.token(query.get("scope", []))})
        else:
            self._answer(401, {})

    def do_POST(self):
        form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        if form["grant_type"] == ["refresh_token"] and form["refresh_token"] == ["identity"]:
            token = self.server.token(form["scope"][0].split(" "))
            self._answer(200, {"access_token": token})
        else:
            self._answer(401, {})

    def _answer(self, status, document):
        content = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_):
        pass


def serve(server):
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(scope="module")
def tokens():
    yield from serve(TokenService())


@pytest.fixture(scope="module")
def token_registry(tokens, require_server, tmp_path_factory):
    folder = tmp_path_factory.mktemp("registry")
    pem = tokens.certificate.public_bytes(serialization.Encoding.PEM)
    (folder / "bundle.pem").write_bytes(pem)
    realm = f"http://127.0.0.1:{tokens.server_port}/token"
    auth = (
        f"auth: {{token: {{realm: '{realm}', service: registry, issuer: tokens,"
        f" rootcertbundle: {folder}/bundle.pem}}}}\n"
    )
    with running_registry(require_server("docker-registry", HOW), folder, auth) as registry:
        yield registry


def test_a_password_is_turned_into_a_token(token_registry, tmp_path):
    config = token_registry.docker_config(tmp_path / "docker")
    assert Publishing(tmp_path, config).publish(f"{token_registry.url}/tenant/fn")


def test_an_identity_token_is_turned_into_a_token(token_registry, tmp_path):
    (tmp_path / "docker").mkdir()
    auths = {token_registry.host: {"identitytoken": "identity"}}
    (tmp_path / "docker/config.json").write_text(json.dumps({"auths": auths}))
    url = f"{token_registry.url}/tenant/by-identity"
    assert Publishing(tmp_path, f"{tmp_path}/docker").publish(url)


def test_a_token_lets_base_layers_be_mounted(token_registry, tokens, tmp_path):
    publishing = Publishing(tmp_path, token_registry.docker_config(tmp_path / "docker"))
    name = uuid.uuid4().hex
    base = f"{token_registry.url}/runtimes/{name}"
    publishing.base = f"{base}@{publishing.publish(base)}"
    publishing.publish(f"{token_registry.url}/tenant/{name}")
    mounted = [
        status
        for method, path, status in token_registry.requests()
        if method == "POST" and "mount=" in path and f"tenant/{name}" in path and status == 201
    ]
    assert len(mounted) == 2
    assert [
        f"repository:tenant/{name}:pull,push",
        f"repository:runtimes/{name}:pull",
    ] in tokens.scopes


@pytest.mark.parametrize("password", [None, "wrong-password"])
def test_a_refused_token_names_the_setting(token_registry, tmp_path, password):
    config = password and token_registry.docker_config(tmp_path / "docker", password)
    with pytest.raises(RegistryUnavailableError, match="check the registry secret"):
        Publishing(tmp_path, config).publish(f"{token_registry.url}/tenant/fn")


class Flaky(ThreadingHTTPServer):
    """Passes requests on to a registry, but first answers each of them with trouble."""

    def __init__(self, registry) -> None:
        super().__init__(("127.0.0.1", 0), _FlakyHandler)
        self.registry = registry
        self.recovers = True
        self.seen: list[tuple[str, str]] = []

    def handle_error(self, *_):
        pass


class _FlakyHandler(BaseHTTPRequestHandler):
    def _handle(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        # Uploads have a new name each time: what counts is the kind of request.
        kind = (self.command, self.path.split("uploads/")[0])
        first = kind not in self.server.seen
        self.server.seen.append(kind)
        if first or not self.server.recovers:
            self._trouble()
            return
        connection = http.client.HTTPConnection("127.0.0.1", self.server.registry.port)
        # With the caller's Host, so that the registry sends uploads here too.
        connection.request(self.command, self.path, body, dict(self.headers))
        response = connection.getresponse()
        content = response.read()
        self.send_response(response.status)
        for name, value in response.getheaders():
            if name.lower() not in {"server", "date", "connection"}:
                self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)
        connection.close()

    do_GET = do_HEAD = do_POST = do_PUT = _handle  # noqa: N815 - http.server finds them by name

    def _trouble(self):
        if self.command == "PUT":
            # The upload breaks off without any answer.
            self.close_connection = True
            self.connection.close()
        else:
            self.send_response(503)
            self.send_header("Retry-After", "0")
            self.send_header("Content-Length", "0")
            self.end_headers()

    def log_message(self, *_):
        pass


@pytest.fixture
def flaky(registry):
    yield from serve(Flaky(registry))


def test_trouble_that_passes_is_waited_for(publishing, flaky):
    url = f"http://127.0.0.1:{flaky.server_port}/tenant/{uuid.uuid4().hex}"
    assert publishing.publish(url)


def test_trouble_that_stays_is_left_to_the_next_delivery(publishing, flaky):
    flaky.recovers = False
    url = f"http://127.0.0.1:{flaky.server_port}/tenant/{uuid.uuid4().hex}"
    with pytest.raises(RegistryUnavailableError, match="503"):
        publishing.publish(url)
    assert len(flaky.seen) == 3


def test_a_registry_that_is_not_there_may_come(publishing):
    with pytest.raises(RegistryUnavailableError, match="no connection"):
        publishing.publish("http://127.0.0.1:9/tenant/fn")


@pytest.mark.parametrize("tag", ["", "a b", "x" * 200])
def test_a_tag_that_no_registry_takes_is_refused(publishing, registry, tag):
    with pytest.raises(RejectedByPlatformError):
        publishing.publish(f"{registry.url}/tenant/fn", tag)
