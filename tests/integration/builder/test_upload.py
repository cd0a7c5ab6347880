"""The Job of a build leaves its result or says why not, and never shows where."""

from __future__ import annotations

import email
import email.policy
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tests.helpers.builder_programs import assert_failed, run
from tests.integration.builder.helpers.jobs import job_settings

SCRIPT = 'echo hello > "$PACKAGES_DIR/p"'


class Storage(ThreadingHTTPServer):
    """Answers each upload with the next of its answers, the last again and again."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answers: list[tuple[int, bytes]] = [(200, b"")]
        self.seen: list[tuple[str, dict[str, str], bytes]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/result?X-Signature=secret"


class _Handler(BaseHTTPRequestHandler):
    def do_PUT(self):
        server = self.server
        body = self.rfile.read(int(self.headers["Content-Length"]))
        server.seen.append((self.command, dict(self.headers), body))
        status, answer = server.answers.pop(0) if len(server.answers) > 1 else server.answers[0]
        self.send_response(status)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    do_POST = do_PUT  # noqa: N815 - http.server finds it by name

    def log_message(self, *_):
        pass


@pytest.fixture
def storage():
    with Storage() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def expected(tmp_path):
    """The archive that has to arrive."""
    run("packages", tmp_path, job_settings(tmp_path, SCRIPT))
    return (tmp_path / "results/result").read_bytes()


def test_without_fields_it_is_put(tmp_path, storage, expected):
    assert run("packages", tmp_path, job_settings(tmp_path, SCRIPT, RESULT_URL=storage.url))
    ((method, headers, body),) = storage.seen
    assert (method, body) == ("PUT", expected)
    assert "Transfer-Encoding" not in headers


def test_with_fields_it_is_the_last_one_of_a_form(tmp_path, storage, expected):
    storage.answers = [(204, b"")]
    fields = {"key": "packages/ä", "policy": "e30=", "x-amz-signature": "secret"}
    settings = job_settings(
        tmp_path, SCRIPT, RESULT_URL=storage.url, RESULT_FIELDS=json.dumps(fields)
    )
    assert run("packages", tmp_path, settings).exit_code == 0
    ((method, headers, body),) = storage.seen
    head = f"Content-Type: {headers['Content-Type']}\r\n\r\n".encode()
    form = email.message_from_bytes(head + body, policy=email.policy.HTTP)
    parts = [(p.get_param("name", header="content-disposition"), p) for p in form.iter_parts()]
    assert method == "POST"
    assert [name for name, _ in parts] == [*fields, "file"]
    sent = [part.get_payload(decode=True) for _, part in parts]
    assert sent == [*(value.encode() for value in fields.values()), expected]


def test_trouble_that_passes_is_waited_for(tmp_path, storage, expected):
    storage.answers = [(503, b""), (429, b""), (200, b"")]
    settings = job_settings(tmp_path, SCRIPT, RESULT_URL=storage.url)
    assert run("packages", tmp_path, settings).exit_code == 0
    assert [body for _, _, body in storage.seen] == [expected] * 3


def test_trouble_that_stays_is_the_platform_s(tmp_path, storage):
    storage.answers = [(500, b"secret")]
    ended = run("packages", tmp_path, job_settings(tmp_path, SCRIPT, RESULT_URL=storage.url))
    assert "500" in assert_failed(ended, 75, "ResultUnavailable")
    assert len(storage.seen) == 5
    assert "secret" not in ended.output + ended.errors


@pytest.mark.parametrize("status", [302, 403, 404])
def test_an_expired_link_is_not_tried_again_and_not_shown(tmp_path, storage, status):
    storage.answers = [(status, b"<xml>secret</xml>")]
    ended = run("packages", tmp_path, job_settings(tmp_path, SCRIPT, RESULT_URL=storage.url))
    assert str(status) in assert_failed(ended, 75, "ResultRefused")
    assert len(storage.seen) == 1
    assert "secret" not in ended.output + ended.errors + str(ended.message)


@pytest.mark.parametrize("answer", [(413, b""), (400, b"<Code>EntityTooLarge</Code>")])
def test_what_storage_calls_too_large_is_the_user_s_mistake(tmp_path, storage, answer):
    storage.answers = [answer]
    ended = run("packages", tmp_path, job_settings(tmp_path, SCRIPT, RESULT_URL=storage.url))
    assert_failed(ended, 1, "PackagesTooLarge")


def test_nobody_listening_is_the_platform_s(tmp_path, storage):
    storage.shutdown()
    storage.server_close()
    ended = run("packages", tmp_path, job_settings(tmp_path, SCRIPT, RESULT_URL=storage.url))
    assert "no connection" in assert_failed(ended, 75, "ResultUnavailable")


def test_another_scheme_is_refused(tmp_path):
    ended = run("packages", tmp_path, job_settings(tmp_path, SCRIPT, RESULT_URL="ftp://127.0.0.1"))
    assert_failed(ended, 75, "InvalidSettings")
