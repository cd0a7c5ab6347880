"""Sources of people who have no key to storage."""

from __future__ import annotations

import asyncio
import hashlib
import json

import pytest

from tests.unit.inbound.api.helpers.api import Api

UPLOADS = "/v1/namespaces/team-a/uploads"
CONTENT = b"a zip archive"
SHA = hashlib.sha256(CONTENT).hexdigest()
URI = f"s3://uploads/team-a/hello/{SHA}.zip"


def request(**changes):
    return json.dumps({"name": "hello", "sha256": SHA, "size": len(CONTENT)} | changes).encode()


@pytest.fixture
def own_route(monkeypatch):
    """Storage that cannot sign."""
    api = Api()
    monkeypatch.setattr(api.storage, "signed_put", lambda *_, **__: None)
    return api


async def test_an_upload_is_for_one_key_one_size_and_one_content(api):
    response = await api.post(UPLOADS, "team-a-edit", body=request())
    assert response.status == 201
    assert response.data == {
        "url": f"https://storage.invalid/s3%3A//uploads/team-a/hello/{SHA}.zip?expires_in_seconds=900",
        "method": "PUT",
        "headers": {"Content-Length": "13", "x-sha256": SHA},
        "expires": "2026-12-01T12:15:00Z",
        "uri": URI,
    }
    assert response.headers["cache-control"] == "no-store"
    assert api.storage.objects == {}


@pytest.mark.parametrize(
    ("token", "name", "status"),
    [
        ("team-a-edit", "hello", 201),
        ("team-a-patches-hello", "hello", 201),
        ("team-a-patches-hello", "other", 403),
        ("team-a-view", "hello", 403),
        ("team-b", "hello", 403),
        ("nobody", "hello", 403),
        ("forged", "hello", 401),
    ],
)
async def test_whoever_may_write_a_lambda_may_upload_its_source(api, token, name, status):
    response = await api.post(UPLOADS, token, body=request(name=name))
    assert response.status == status
    assert (b"storage.invalid" in response.body) == (status == 201)


async def test_a_source_over_the_limit_is_refused_before_it_is_sent(api):
    response = await api.post(UPLOADS, "team-a-edit", body=request(size=1001))
    assert (response.status, response.data["field"]) == (422, "size")
    assert "1000 bytes" in response.data["detail"]


async def test_where_storage_signs_the_content_goes_there(api):
    response = await api.put(f"{UPLOADS}/hello/{SHA}", "team-a-edit", body=CONTENT)
    assert response.status == 422
    assert api.storage.objects == {}


async def test_where_storage_cannot_sign_the_address_is_of_the_api_itself(own_route):
    asked = (await own_route.post(UPLOADS, "team-a-edit", body=request())).data
    assert (asked["url"], asked["uri"]) == (f"uploads/hello/{SHA}", URI)
    path = f"/v1/namespaces/team-a/{asked['url']}"
    response = await own_route.put(path, "team-a-edit", headers=asked["headers"], body=CONTENT)
    assert (response.status, response.data) == (201, {"uri": URI})
    assert own_route.storage.objects[URI][0] == CONTENT


@pytest.mark.parametrize("token", ["team-a-view", "team-b", "nobody", "forged"])
async def test_the_own_route_asks_who_it_is_before_it_reads(own_route, token):
    async def never():
        raise AssertionError("it was read")
        yield b""

    headers = {"Content-Length": str(len(CONTENT))}
    response = await own_route.put(f"{UPLOADS}/hello/{SHA}", token, headers, never())
    assert response.status in {401, 403}
    assert own_route.storage.objects == {}


@pytest.mark.parametrize(
    ("headers", "body", "status"),
    [
        ({}, b"another archive", 400),
        ({"Content-Length": "5"}, CONTENT, 413),
        ({"Content-Length": "1001"}, CONTENT, 422),
        ({"Content-Encoding": "gzip"}, CONTENT, 415),
    ],
)
async def test_the_own_route_keeps_nothing_but_what_was_agreed(own_route, headers, body, status):
    response = await own_route.put(f"{UPLOADS}/hello/{SHA}", "team-a-edit", headers, body)
    assert response.status == status
    assert own_route.storage.objects == {}


async def test_content_that_breaks_off_is_not_kept(own_route):
    path, headers = f"{UPLOADS}/hello/{SHA}", {"Content-Length": "50"}
    response = await own_route.put(path, "team-a-edit", headers, CONTENT, ends=False)
    assert response.status == 400
    assert own_route.storage.objects == {}


async def test_content_without_a_length_is_not_taken(own_route):
    async def pieces():
        yield CONTENT

    response = await own_route.put(f"{UPLOADS}/hello/{SHA}", "team-a-edit", body=pieces())
    assert response.status == 411


async def test_content_that_does_not_arrive_is_given_up(own_route, monkeypatch):
    monkeypatch.setattr("knative_lambda.inbound.api.application._CONTENT_SECONDS", 0.1)

    async def slow():
        yield CONTENT[:1]
        await asyncio.sleep(60)

    headers = {"Content-Length": str(len(CONTENT))}
    response = await own_route.put(f"{UPLOADS}/hello/{SHA}", "team-a-edit", headers, slow())
    assert response.status == 408
    assert own_route.storage.objects == {}


async def test_an_installation_without_storage_for_uploads_says_so():
    api = Api()
    object.__setattr__(api.uploads, "upload_url", None)
    response = await api.post(UPLOADS, "team-a-edit", body=request())
    assert response.status == 422
    assert "KN_LAMBDA_UPLOAD_URL" in response.data["detail"]
