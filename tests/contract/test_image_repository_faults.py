"""Registries that send too much, too little, or somebody else's bytes."""

from __future__ import annotations

import dataclasses
import json
from urllib.parse import urlsplit

import pytest

from lambda_oci.descriptors import LAYER_GZIP, MAX_DOCUMENT_BYTES, Descriptor, describe
from lambda_oci.errors import (
    ContentError,
    RejectedError,
    SetupError,
    StoredImageError,
    ThrottledError,
    UnavailableError,
)
from lambda_oci.http import OF_A_BUILD, OF_AN_EVENT, connection_pool
from lambda_oci.references import parse_repository
from lambda_oci.registry import RegistryRepository
from tests.helpers.s3_servers import CannedAnswer, answering_server

QUICK = dataclasses.replace(OF_A_BUILD, first_pause_seconds=0, longest_retry_after_seconds=0)
DIGEST = "sha256:" + "0" * 64


def connect(port, patience=QUICK):
    location = parse_repository(f"http://127.0.0.1:{port}/tenant/fn")
    pool = connection_pool(location.origin, patience)
    return RegistryRepository.connect(location, None, patience=patience, pool=pool)


def asked(answer, call, patience=QUICK):
    """What the call raises when the registry always answers this, and how often it was asked."""
    with answering_server(answer) as (port, seen):
        with pytest.raises(Exception, match=r"\w") as raised:
            call(connect(port, patience))
        return raised.value, len(seen)


def registry_error(*codes):
    """A refusal in the words of distribution-spec 1.1."""
    errors = [{"code": code, "message": "", "detail": None} for code in codes]
    return CannedAnswer(status=400, body=json.dumps({"errors": errors}).encode())


@pytest.mark.parametrize(
    ("status", "error", "reason", "times"),
    [
        (400, RejectedError, "RegistryRefused", 1),
        (401, SetupError, "RegistryDenied", 1),
        (403, SetupError, "RegistryDenied", 1),
        (413, ContentError, "ImageTooLarge", 1),
        (429, UnavailableError, "RegistryUnavailable", 5),
        (500, UnavailableError, "RegistryUnavailable", 5),
        (503, UnavailableError, "RegistryUnavailable", 5),
    ],
)
def test_only_what_may_pass_is_tried_again(status, error, reason, times):
    raised, seen = asked(CannedAnswer(status=status), lambda repository: repository.find("v1"))
    assert type(raised) is error
    assert (raised.reason, seen) == (reason, times)
    assert "127.0.0.1" in raised.message
    assert "/v2/" not in raised.message


def test_a_manifest_whose_layers_a_registry_does_not_know_yet_is_sent_again():
    answer = registry_error("DIGEST_INVALID", "MANIFEST_BLOB_UNKNOWN")
    raised, seen = asked(answer, lambda repository: repository.add_manifest(b"{}", "v1"))
    assert type(raised) is UnavailableError
    assert seen == QUICK.tries


@pytest.mark.parametrize(
    "answer",
    [
        registry_error("MANIFEST_INVALID"),
        registry_error(),
        registry_error(["MANIFEST_BLOB_UNKNOWN"], 5, None),
        CannedAnswer(status=400, body=b'{"errors": {"code": "MANIFEST_BLOB_UNKNOWN"}}'),
        CannedAnswer(status=400, body=b'{"errors": ["MANIFEST_BLOB_UNKNOWN"]}'),
        CannedAnswer(status=400, body=b"[" * 100_000),
        CannedAnswer(status=400, body=b"MANIFEST_BLOB_UNKNOWN"),
    ],
)
def test_a_manifest_that_a_registry_calls_invalid_is_sent_once(answer):
    raised, seen = asked(answer, lambda repository: repository.add_manifest(b"{}", "v1"))
    assert type(raised) is RejectedError
    assert seen == 1


@pytest.mark.parametrize("asked_for", ["7", "²", "x", "9" * 20])
def test_the_patience_of_an_event_passes_on_how_long_to_wait(asked_for):
    answer = CannedAnswer(status=429, headers={"Retry-After": asked_for})
    raised, seen = asked(answer, lambda repository: repository.list_tags(), OF_AN_EVENT)
    assert isinstance(raised, ThrottledError)
    assert (raised.retry_after_seconds, seen) == (7 if asked_for == "7" else 1, 1)


@pytest.mark.timeout(20)
def test_the_patience_of_an_event_is_short():
    answer = CannedAnswer(status=503, headers={"Retry-After": "120"})
    raised, seen = asked(answer, lambda repository: repository.list_tags(), OF_AN_EVENT)
    assert isinstance(raised, UnavailableError)
    assert seen == 3


@pytest.mark.parametrize("patience", [OF_AN_EVENT, OF_A_BUILD], ids=["event", "build"])
def test_redirects_end(patience):
    quick = dataclasses.replace(patience, tries=1)
    answer = CannedAnswer(status=307, headers={"Location": "/again"})
    raised, seen = asked(answer, lambda repository: repository.find("v1"), quick)
    assert isinstance(raised, UnavailableError)
    assert seen == patience.redirects + 1


def test_a_document_that_is_too_large_is_not_read():
    answer = CannedAnswer(status=200, body=b" " * (MAX_DOCUMENT_BYTES + 1))
    raised, seen = asked(answer, lambda repository: repository.read_manifest(DIGEST))
    assert isinstance(raised, UnavailableError)
    assert seen == 1


def test_a_document_that_breaks_off_is_asked_for_again():
    answer = CannedAnswer(status=200, body=b"{}", claimed_length=100)
    raised, seen = asked(answer, lambda repository: repository.read_manifest(DIGEST))
    assert isinstance(raised, UnavailableError)
    assert seen == 5


def test_other_bytes_are_not_taken():
    answer = CannedAnswer(status=200, body=b"other")
    blob = describe(LAYER_GZIP, b"layer")
    for read in (
        lambda repository: repository.read_manifest(blob.digest),
        lambda repository: repository.read_blob(blob),
    ):
        raised, _ = asked(answer, read)
        assert isinstance(raised, StoredImageError)


def test_a_download_ends_where_its_descriptor_says(tmp_path):
    answer = CannedAnswer(status=200, body=b"x" * 10)
    blob = Descriptor(LAYER_GZIP, DIGEST, 5)
    raised, seen = asked(answer, lambda repository: repository.copy_blob(blob, tmp_path / "blob"))
    assert isinstance(raised, StoredImageError)
    assert seen == 1


@pytest.mark.parametrize("digest", ["", "sha256:short", "../x", "sha512:" + "0" * 128])
def test_a_digest_that_is_none_is_a_registry_in_trouble(digest):
    answer = CannedAnswer(status=200, headers={"Docker-Content-Digest": digest})
    raised, _ = asked(answer, lambda repository: repository.find("v1"))
    assert isinstance(raised, UnavailableError)


def test_a_registry_that_names_no_digest_is_asked_for_the_image():
    with answering_server(CannedAnswer(status=200, body=b"image")) as (port, seen):
        assert connect(port).find("v1") == describe("", b"image").digest
    assert [request.partition(" ")[0] for request in seen] == ["HEAD", "GET"]


@pytest.mark.parametrize("tags", [[5], [None], "v1", {"v1": 1}], ids=repr)
def test_tags_are_texts(tags):
    answer = CannedAnswer(status=200, body=json.dumps({"tags": tags}).encode())
    raised, _ = asked(answer, lambda repository: repository.list_tags())
    assert isinstance(raised, UnavailableError)


def test_pages_end_and_stay_at_the_registry(monkeypatch):
    monkeypatch.setattr("lambda_oci.registry._MAX_PAGES", 3)
    link = {"Link": '<http://elsewhere.test/v2/other/tags/list?last=v1>; rel="next"'}
    answer = CannedAnswer(status=200, body=b'{"tags": ["v1"]}', headers=link)
    with (
        answering_server(answer) as (port, seen),
        pytest.raises(UnavailableError, match="endless"),
    ):
        connect(port).list_tags()
    paths = [urlsplit(request.partition(" ")[2]) for request in seen]
    assert {path.path for path in paths} == {"/v2/tenant/fn/tags/list"}
    assert [path.query for path in paths] == ["n=1000", "last=v1", "last=v1"]


def test_names_that_no_registry_accepts_are_not_sent():
    with answering_server(CannedAnswer(status=200)) as (port, seen):
        for call in (
            lambda repository: repository.find("a/../b"),
            lambda repository: repository.delete("v1"),
            lambda repository: repository.add_manifest(b"", "a?b"),
        ):
            with pytest.raises(RejectedError):
                call(connect(port))
    assert seen == []
