"""What hosts of sources may do to build-start: nothing but fail within bounds."""

from __future__ import annotations

import contextlib
import io
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler
from urllib.parse import urlsplit

import pytest

from knative_lambda.domain.errors import (
    LimitExceededError,
    SourceNotFoundError,
    SourceUnavailableError,
    ThrottledError,
    UnsupportedSourceError,
)
from knative_lambda.domain.names import FunctionId
from tests.helpers.certificate_authority import make_authority
from tests.helpers.http_server import serving_requests
from tests.helpers.waiting import wait_for
from tests.integration.sources.helpers.secrets import LOOPBACK, TOKEN

HELLO = FunctionId("default", "hello")
NAME = "git.example.com"
_SMART = "application/x-git-upload-pack-"


@contextlib.contextmanager
def serving(respond, authority):
    """A server whose responses a function makes; it yields URL, host and seen requests."""
    seen = []

    class _Handler(BaseHTTPRequestHandler):
        def log_message(self, *_):
            pass

        def do_GET(self):
            seen.append((self.path, self.headers.get("Authorization"), self.headers.get("Host")))
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            with contextlib.suppress(OSError):
                respond(self)

        def do_POST(self):
            self.do_GET()

    with serving_requests(_Handler, authority) as url:
        yield url, urlsplit(url).netloc, seen


def send(handler, body=b"", status=200, **headers):
    handler.send_response(status)
    for name, value in headers.items():
        handler.send_header(name.replace("_", "-"), value)
    handler.end_headers()
    handler.wfile.write(body)


def read(sources, url, secret=None):
    target = io.BytesIO()
    sources.read(HELLO, url, secret, target, max_bytes=100_000)
    return target.getvalue()


def read_git(sources, url):
    with sources.checkout(HELLO, f"git+{url}/team/code", None) as checkout:
        return list(checkout.files)


def test_a_host_that_is_not_listed_is_never_connected(authority, sources_of):
    with serving(send, authority) as (url, _, seen):
        for reading in (read, read_git):
            with pytest.raises(UnsupportedSourceError, match="sources may not come from localhost"):
                reading(sources_of("git.example.com"), url)
    assert seen == []


@pytest.mark.parametrize(
    "addresses",
    [
        ["127.0.0.1"],
        ["10.0.0.1"],
        ["169.254.169.254"],
        ["::1"],
        ["::ffff:127.0.0.1"],
        ["140.82.121.4", "127.0.0.1"],
    ],
)
def test_a_name_that_resolves_to_an_address_that_is_not_public_is_never_connected(
    authority, sources_of, addresses
):
    with serving(send, authority) as (url, host, seen):
        sources = sources_of(host, resolve=lambda *_: addresses)
        with pytest.raises(UnsupportedSourceError, match="is not at an address") as refused:
            read(sources, url)
    assert seen == []
    assert addresses[0] not in refused.value.message


def test_an_internal_host_outside_of_its_networks_is_never_connected(authority, sources_of):
    with (
        serving(send, authority) as (url, host, seen),
        pytest.raises(UnsupportedSourceError, match="is not at an address"),
    ):
        read(sources_of(f"{host}=10.0.0.0/8", resolve=lambda *_: ["127.0.0.1"]), url)
    assert seen == []


def test_the_connection_goes_to_the_address_that_was_checked(sources_of, tmp_path):
    """The name is resolved once: another answer a moment later changes nothing."""
    own = make_authority(tmp_path / "ca", NAME)
    answers = iter([["127.0.0.1"]])
    with serving(lambda handler: send(handler, b"archive"), own) as (url, _, seen):
        port = urlsplit(url).port
        sources = sources_of(
            f"{NAME}:{port}={LOOPBACK}",
            resolve=lambda *_: next(answers),
            certificates=own.certificate.read_text(),
        )
        assert read(sources, f"https://{NAME}:{port}/a.zip") == b"archive"
    assert [host for *_, host in seen] == [f"{NAME}:{port}"]


def test_another_address_is_tried_where_one_refuses(authority, sources_of):
    with serving(lambda handler: send(handler, b"archive"), authority) as (url, host, _):
        sources = sources_of(f"{host}={LOOPBACK}", resolve=lambda *_: ["127.0.0.2", "127.0.0.1"])
        assert read(sources, url) == b"archive"


@pytest.mark.parametrize(
    ("addresses", "message"),
    [([], "the name localhost:1 is not known"), (["127.0.0.1"], "there is no connection")],
)
def test_a_host_that_is_not_there_may_come(sources_of, addresses, message):
    sources = sources_of(f"localhost:1={LOOPBACK}", resolve=lambda *_: addresses)
    with pytest.raises(SourceUnavailableError, match=message):
        read(sources, "https://localhost:1/a.zip")


def test_the_certificate_has_to_be_that_of_the_name(authority, sources_of):
    with serving(send, authority) as (url, _, seen):
        port = urlsplit(url).port
        sources = sources_of(f"{NAME}:{port}={LOOPBACK}", resolve=lambda *_: ["127.0.0.1"])
        with pytest.raises(SourceUnavailableError, match="certificate of the source's host"):
            read(sources, f"https://{NAME}:{port}/a.zip")
    assert seen == []


def test_an_authority_that_the_operator_does_not_name_is_not_trusted(authority, sources_of):
    with (
        serving(send, authority) as (url, host, seen),
        pytest.raises(SourceUnavailableError, match="KN_LAMBDA_SOURCE_CERTIFICATES"),
    ):
        read(sources_of(f"{host}={LOOPBACK}", certificates=None), url)
    assert seen == []


@pytest.mark.parametrize(
    "location",
    [
        "https://169.254.169.254/latest/meta-data/",
        "https://127.0.0.1/",
        "https://[::1]/",
        "https://other.example.com/",
        "http://localhost/",
        "file:///etc/passwd",
        "https://user:password@localhost/",
        "https://localhost:99999/",
        "//169.254.169.254/",
        "https://[",
    ],
)
@pytest.mark.parametrize("reading", [read, read_git])
def test_a_redirect_leads_to_no_host_that_is_not_listed(authority, sources_of, location, reading):
    with (
        serving(lambda handler: send(handler, status=302, Location=location), authority) as (
            url,
            host,
            seen,
        ),
        pytest.raises(UnsupportedSourceError),
    ):
        reading(sources_of(f"{host}={LOOPBACK}"), url)
    assert len(seen) == 1


def test_a_redirect_to_a_listed_host_is_followed_without_the_secret(authority, sources_of):
    def redirect(handler):
        send(handler, status=302, Location=f"{url}/a.zip")

    with (
        serving(lambda handler: send(handler, b"archive"), authority) as (url, host, seen),
        serving(redirect, authority) as (first_url, first_host, first_seen),
    ):
        sources = sources_of(f"{host}={LOOPBACK}", f"{first_host}={LOOPBACK}")
        assert read(sources, f"{first_url}/x", "deploy-token") == b"archive"
    assert [authorization for _, authorization, _ in first_seen] == [f"Bearer {TOKEN}"]
    assert [authorization for _, authorization, _ in seen] == [None]


def test_a_redirect_on_the_same_host_keeps_the_secret(authority, sources_of):
    def respond(handler):
        if handler.path == "/moved":
            send(handler, status=301, Location="/a.zip?part=1")
        else:
            send(handler, b"archive")

    with serving(respond, authority) as (url, host, seen):
        assert read(sources_of(f"{host}={LOOPBACK}"), f"{url}/moved", "deploy-token") == b"archive"
    assert [(path, auth) for path, auth, _ in seen] == [
        ("/moved", f"Bearer {TOKEN}"),
        ("/a.zip?part=1", f"Bearer {TOKEN}"),
    ]


def test_redirects_without_end_are_given_up(authority, sources_of):
    with (
        serving(lambda handler: send(handler, status=302, Location="/again"), authority) as (
            url,
            host,
            seen,
        ),
        pytest.raises(SourceUnavailableError, match="redirects too often"),
    ):
        read(sources_of(f"{host}={LOOPBACK}"), url)
    assert len(seen) == 6


def endless(handler):
    handler.send_response(200)
    handler.send_header("Content-Type", f"{_SMART}advertisement")
    handler.end_headers()
    while True:
        handler.wfile.write(b"001e# service=git-upload-pack\n" * 1000)


@pytest.mark.parametrize("reading", [read, read_git])
def test_a_response_without_end_is_cut_at_the_limit(authority, sources_of, reading):
    with (
        serving(endless, authority) as (url, host, _),
        pytest.raises((LimitExceededError, SourceUnavailableError)) as refused,
    ):
        reading(sources_of(f"{host}={LOOPBACK}", max_bytes=100_000), url)
    assert refused.value.field == "source.uri"


def list_branches_without_end(handler):
    handler.send_response(200)
    handler.send_header("Content-Type", f"{_SMART}advertisement")
    handler.end_headers()
    handler.wfile.write(b"001e# service=git-upload-pack\n0000")
    for number in range(10**9):
        handler.wfile.write(b"0049%040x refs/heads/branch-%09d\n" % (number + 1, number))


def test_more_branches_than_memory_should_hold_are_refused(authority, sources_of):
    with (
        serving(list_branches_without_end, authority) as (url, host, _),
        pytest.raises(LimitExceededError, match="one response of the source's host is over"),
    ):
        read_git(sources_of(f"{host}={LOOPBACK}", max_bytes=10**8), url)


def drip_body(handler):
    handler.send_response(200)
    handler.send_header("Content-Type", f"{_SMART}advertisement")
    handler.end_headers()
    while True:
        handler.wfile.write(b"f")
        time.sleep(0.05)


def drip_head(handler):
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nX: ")
    while True:
        handler.wfile.write(b"a")
        time.sleep(0.05)


def continue_for_ever(handler):
    while True:
        handler.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        time.sleep(0.01)


def say_nothing(handler):
    time.sleep(30)


@pytest.mark.parametrize("respond", [drip_body, drip_head, continue_for_ever, say_nothing])
@pytest.mark.parametrize("reading", [read, read_git])
def test_a_slow_host_is_given_up_after_the_time_for_all_of_it(
    authority, sources_of, respond, reading
):
    with (
        serving(respond, authority) as (url, host, _),
        pytest.raises(SourceUnavailableError, match="takes too long"),
    ):
        reading(sources_of(f"{host}={LOOPBACK}", seconds=0.5), url)


@pytest.mark.parametrize(
    ("status", "error", "message"),
    [
        (404, SourceNotFoundError, "localhost has no such source"),
        (500, SourceUnavailableError, "localhost responds with 500"),
        (206, SourceUnavailableError, "localhost responds with 206"),
        (429, SourceUnavailableError, "localhost responds with 429"),
    ],
)
def test_a_failure_of_the_host_is_told_without_the_query(
    authority, sources_of, status, error, message
):
    with (
        serving(lambda handler: send(handler, status=status), authority) as (url, host, _),
        pytest.raises(error, match=message) as refused,
    ):
        read(sources_of(f"{host}={LOOPBACK}"), f"{url}/a.zip?signature=hunter2")
    assert "hunter2" not in refused.value.message


@pytest.mark.parametrize(
    "answer",
    [b"", b"<html>", b"0000", b"zzzz", b"ffff", b"0004" * 100, b"000eversion 2\n0000",
     b"001e# service=git-upload-pack\n0000", b"000bERR no\n"],
)  # fmt: skip
def test_what_is_not_gits_protocol_is_told(authority, sources_of, answer):
    def respond(handler):
        send(handler, answer, Content_Type=f"{_SMART}advertisement")

    with (
        serving(respond, authority) as (url, host, _),
        pytest.raises((SourceUnavailableError, SourceNotFoundError)) as refused,
    ):
        read_git(sources_of(f"{host}={LOOPBACK}"), url)
    assert refused.value.field == "source.uri"


def test_a_web_page_is_no_repository_and_is_not_read_file_by_file(authority, sources_of):
    with (
        serving(lambda handler: send(handler, b"<html>", Content_Type="text/html"), authority) as (
            url,
            host,
            seen,
        ),
        pytest.raises(SourceNotFoundError, match="there is no git repository"),
    ):
        read_git(sources_of(f"{host}={LOOPBACK}"), url)
    assert len(seen) == 1


def test_a_host_that_hangs_takes_two_requests_of_its_tenant_and_none_of_others(
    authority, sources_of
):
    """A Pod handles four at once, and each event about a record that is not taken up fetches."""
    hangs = threading.Event()

    def respond(handler):
        if "slow" in handler.path:
            hangs.wait(10)
        send(handler, b"content")

    with serving(respond, authority) as (url, host, seen), ThreadPoolExecutor(2) as pool:
        sources = sources_of(f"{host}={LOOPBACK}")
        try:
            slow = [pool.submit(read, sources, f"{url}/slow.zip") for _ in range(2)]
            wait_for(lambda: len(seen) == 2)
            with pytest.raises(ThrottledError, match="other sources of default"):
                read(sources, f"{url}/fast.zip")
            with pytest.raises(ThrottledError, match="other sources of default"):
                read_git(sources, url)
            other, target = FunctionId("other", "hello"), io.BytesIO()
            sources.read(other, f"{url}/fast.zip", None, target, max_bytes=100)
            assert target.getvalue() == b"content"
        finally:
            hangs.set()
        assert [each.result() for each in slow] == [b"content"] * 2
        assert read(sources, f"{url}/fast.zip") == b"content"


def test_a_git_host_that_repeats_the_token_does_not_get_it_into_the_error(authority, sources_of):
    def respond(handler):
        said = f"ERR you sent {handler.headers['Authorization']}\n".encode()
        line = b"%04x" % (len(said) + 4) + said
        kind = f"{_SMART}advertisement"
        send(handler, line, Content_Type=kind)

    with serving(respond, authority) as (url, host, _):
        sources = sources_of(f"{host}={LOOPBACK}")
        checkout = sources.checkout(HELLO, f"git+{url}/team/code", "deploy-token")
        with pytest.raises(SourceUnavailableError) as raised, checkout:
            pass
        assert TOKEN not in str(raised.value)
        with pytest.raises(SourceUnavailableError, match="you sent None"):
            read_git(sources, url)
