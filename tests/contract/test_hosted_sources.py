"""What whoever reads sources on hosts promises: the fake, and real servers over https."""

from __future__ import annotations

import contextlib
import io
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from knative_lambda.adapters.hosted_sources import NetworkSources
from knative_lambda.domain.errors import (
    LimitExceededError,
    SourceAccessDeniedError,
    UnsupportedSourceError,
)
from knative_lambda.domain.hosted_source import SourceFile
from knative_lambda.domain.names import FunctionId
from knative_lambda.domain.source_hosts import SourceHosts
from tests.helpers.certificate_authority import make_authority
from tests.helpers.fakes import InMemoryHostedSources, InMemorySourceSecrets
from tests.helpers.git_servers import GIT, serving_git
from tests.helpers.http_server import serving_requests

if TYPE_CHECKING:
    from knative_lambda.ports import HostedSources

HELLO = FunctionId("default", "hello")
ARCHIVE = b"archive"
COMMIT_OF_FAKE = "c" * 40
FILES = [SourceFile("b.py", b"2"), SourceFile("lib/a.py", b"1")]


@dataclass(frozen=True)
class Place:
    sources: HostedSources
    archive: str
    private_archive: str
    repository: str
    commit: str


def fake_place():
    archive, private = "https://example.com/a.zip", "https://example.com/private.zip"
    repository = "git+https://example.com/team/code"
    sources = InMemoryHostedSources(
        objects={archive: ARCHIVE, private: ARCHIVE},
        commits={repository: (COMMIT_OF_FAKE, FILES)},
        secrets={private: "right"},
    )
    return Place(sources, archive, private, repository, COMMIT_OF_FAKE)


class _Archives(BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def do_GET(self):
        is_denied = "private" in self.path and self.headers["Authorization"] != "Bearer right"
        self.send_response(401 if is_denied else 200)
        self.end_headers()
        self.wfile.write(ARCHIVE)


@contextlib.contextmanager
def real_place(folder):
    authority = make_authority(folder / "ca", "localhost")
    secrets = InMemorySourceSecrets()
    for name in ("right", "wrong"):
        secrets.data[(HELLO.namespace, name)] = {"bearerToken": name.encode()}
    with (
        serving_git(folder / "git", authority) as git,
        serving_requests(_Archives, authority) as url,
    ):
        commit = git.repository("team/code").commit({file.path: file.content for file in FILES})
        hosts = [f"{host}=127.0.0.0/8,::1/128" for host in (git.host, urlsplit(url).netloc)]
        sources = NetworkSources(
            SourceHosts(hosts),
            secrets=secrets,
            max_bytes=10_000,
            max_files=10,
            certificates=authority.certificate.read_text(),
        )
        repository = f"git+{git.url}/team/code"
        yield Place(sources, f"{url}/a.zip", f"{url}/private.zip", repository, commit)


@pytest.fixture(params=["fake", "https"])
def place(request, require_server, tmp_path):
    if request.param == "fake":
        yield fake_place()
        return
    require_server(*GIT)
    with real_place(tmp_path) as place:
        yield place


def read(place, url, secret=None, max_bytes=1000):
    target = io.BytesIO()
    place.sources.read(HELLO, url, secret, target, max_bytes=max_bytes)
    return target.getvalue()


def test_what_is_at_a_url_is_copied(place):
    assert read(place, place.archive) == ARCHIVE
    assert read(place, place.archive, max_bytes=len(ARCHIVE)) == ARCHIVE


def test_what_is_too_large_is_refused(place):
    with pytest.raises(LimitExceededError) as refused:
        read(place, place.archive, max_bytes=len(ARCHIVE) - 1)
    assert refused.value.field == "source.uri"


def test_the_files_of_a_commit_come_in_order_with_its_name(place):
    with place.sources.checkout(HELLO, place.repository, None) as checkout:
        assert checkout.commit == place.commit
        assert list(checkout.files) == FILES


def test_another_host_is_refused(place):
    with pytest.raises(UnsupportedSourceError) as refused:
        read(place, "https://other.example.com/a.zip")
    assert refused.value.field == "source.uri"
    other = "git+https://other.example.com/team/code"
    with pytest.raises(UnsupportedSourceError), place.sources.checkout(HELLO, other, None):
        pass


def test_a_uri_that_is_none_of_a_repository_is_refused(place):
    uri = f"{place.repository}@a..b"
    with pytest.raises(UnsupportedSourceError), place.sources.checkout(HELLO, uri, None):
        pass


def test_a_secret_opens_what_it_is_for(place):
    assert read(place, place.private_archive, "right") == ARCHIVE
    for secret in (None, "wrong"):
        with pytest.raises(SourceAccessDeniedError) as refused:
            read(place, place.private_archive, secret)
        assert refused.value.field == "source.secretRef"
