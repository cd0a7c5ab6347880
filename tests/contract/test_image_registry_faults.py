"""Registries that answer badly, or not at all."""

from __future__ import annotations

import base64
import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from knative_lambda.adapters.registry import SchemeImageRegistry
from knative_lambda.domain.errors import (
    KnativeLambdaError,
    RegistryUnavailableError,
    RejectedByPlatformError,
    ThrottledError,
)
from tests.helpers.s3_servers import CannedAnswer, answering_server
from tests.helpers.server_processes import free_port

REPOSITORY = "lambdas/default/hello"
SECRET = "hunter2"


def url(port):
    return f"http://127.0.0.1:{port}/{REPOSITORY}"


def calls(registry, port):
    return [
        lambda: registry.list_tags(url(port)),
        lambda: registry.find(url(port), "v1"),
        lambda: registry.delete(url(port), "sha256:" + "0" * 64),
    ]


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (CannedAnswer(status=400), RejectedByPlatformError),
        (CannedAnswer(status=401), RegistryUnavailableError),
        (CannedAnswer(status=403), RegistryUnavailableError),
        (CannedAnswer(status=429), ThrottledError),
        (CannedAnswer(status=500), RegistryUnavailableError),
        (CannedAnswer(status=503), RegistryUnavailableError),
    ],
    ids=lambda value: str(getattr(value, "status", "")),
)
@pytest.mark.parametrize("call", range(3), ids=["list_tags", "find", "delete"])
def test_a_refusal_is_an_error_of_ours(answer, error, call):
    with answering_server(answer) as (port, _), pytest.raises(error) as raised:
        calls(SchemeImageRegistry(), port)[call]()
    assert f"127.0.0.1:{port}" in raised.value.message


@pytest.mark.timeout(20)
@pytest.mark.parametrize(
    ("status", "header", "seconds"), [(429, "120", 120), (429, "x", 1), (429, "9" * 20, 1)]
)
def test_how_long_to_wait_is_passed_on_and_not_waited_for(status, header, seconds):
    answer = CannedAnswer(status=status, headers={"Retry-After": header})
    with answering_server(answer) as (port, _), pytest.raises(ThrottledError) as raised:
        SchemeImageRegistry().list_tags(url(port))
    assert raised.value.retry_after.total_seconds() == seconds


@pytest.mark.timeout(20)
def test_a_registry_that_is_down_for_long_is_not_waited_for():
    answer = CannedAnswer(status=503, headers={"Retry-After": "120"})
    with answering_server(answer) as (port, seen), pytest.raises(RegistryUnavailableError):
        SchemeImageRegistry().list_tags(url(port))
    assert len(seen) == 3


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'{"tags": 5}', b"\xff", b"[" * 100_000])
def test_an_answer_that_is_no_list_of_tags_is_a_registry_in_trouble(body):
    with (
        answering_server(CannedAnswer(status=200, body=body)) as (port, _),
        pytest.raises(RegistryUnavailableError),
    ):
        SchemeImageRegistry().list_tags(url(port))


def test_a_registry_that_is_not_there_is_unavailable():
    port = free_port()
    for call in calls(SchemeImageRegistry(), port):
        with pytest.raises(RegistryUnavailableError):
            call()


def test_a_registry_that_does_not_delete_keeps_its_images():
    with answering_server(CannedAnswer(status=405)) as (port, _):
        SchemeImageRegistry().delete(url(port), "sha256:" + "0" * 64)


@pytest.mark.parametrize(
    "challenge",
    [
        'Bearer service="s"',
        'Bearer realm="no url"',
        'Bearer realm="http://127.0.0.1:1/token"',
        "Digest x",
    ],
)
def test_a_challenge_that_leads_nowhere_is_a_registry_in_trouble(challenge):
    answer = CannedAnswer(status=401, headers={"WWW-Authenticate": challenge})
    with answering_server(answer) as (port, _), pytest.raises(RegistryUnavailableError):
        SchemeImageRegistry().list_tags(url(port))


def test_a_scheme_that_is_no_registry_is_refused():
    with pytest.raises(KnativeLambdaError, match="http://, https:// or file://"):
        SchemeImageRegistry().list_tags("ftp://registry/x")


@contextmanager
def token_registry():
    """A registry with two pages of tags behind a token service that wants a password."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            basic = base64.b64encode(f"builder:{SECRET}".encode()).decode()
            given = self.headers.get("Authorization")
            here = f"http://127.0.0.1:{self.server.server_address[1]}"
            if self.path.startswith("/token?"):
                self.server.logins += 1
                assert "scope=repository" in self.path
                ok = given == f"Basic {basic}"
                self.answer(200 if ok else 401, {"token": f"token-{self.server.tokens}"})
            elif given != f"Bearer token-{self.server.tokens}":
                challenge = f'Bearer realm="{here}/token",service="s",scope="repository:x:pull"'
                self.answer(401, {}, {"WWW-Authenticate": challenge})
            elif "last=" in self.path:
                self.answer(200, {"tags": ["v2"]})
            else:
                link = {"Link": f'</v2/{REPOSITORY}/tags/list?last=v1&n=1>; rel="next"'}
                self.answer(200, {"tags": ["v1"]}, link)

        def answer(self, status, body, headers=None):
            content = json.dumps(body).encode()
            self.send_response(status)
            for name, value in ({"Content-Length": str(len(content))} | (headers or {})).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *args):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.tokens, server.logins = 1, 0
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


def docker_config(folder, port, **entry):
    (folder / "config.json").write_text(json.dumps({"auths": {f"127.0.0.1:{port}": entry}}))
    return str(folder)


def test_a_token_is_fetched_with_the_password_and_renewed_and_all_pages_are_read(tmp_path):
    with token_registry() as server:
        port = server.server_address[1]
        config = docker_config(tmp_path, port, username="builder", password=SECRET)
        registry = SchemeImageRegistry(docker_config=config)
        assert registry.list_tags(url(port)) == ["v1", "v2"]
        server.tokens = 2  # the first one expired
        assert registry.list_tags(url(port)) == ["v1", "v2"]


def test_the_tokens_of_the_repositories_met_last_are_remembered_and_no_more(tmp_path):
    with token_registry() as server:
        port = server.server_address[1]
        config = docker_config(tmp_path, port, username="builder", password=SECRET)
        registry = SchemeImageRegistry(docker_config=config)
        repositories = [f"{url(port)}-{number}" for number in range(101)]
        for repository in repositories:
            registry.list_tags(repository)
        registry.list_tags(repositories[-1])
        assert server.logins == 101
        registry.list_tags(repositories[0])
        assert server.logins == 102


def test_a_token_service_that_refuses_is_our_set_up(tmp_path):
    with token_registry() as server:
        port = server.server_address[1]
        config = docker_config(tmp_path, port, username="builder", password="wrong-password")
        with pytest.raises(RegistryUnavailableError) as raised:
            SchemeImageRegistry(docker_config=config).list_tags(url(port))
    assert "wrong-password" not in str(raised.value)
