"""The function as people meet it: over functions-framework, with a token of Kubernetes."""

from __future__ import annotations

import hashlib
import json

import pytest

from tests.helpers.asgi import send
from tests.integration.api.helpers.tenant import BUILD

LAMBDAS = "/v1/namespaces/default/lambdas"


@pytest.fixture
def ask(app, kubernetes):
    async def ask(method, target, body=b"", **headers):
        token = {"Authorization": f"Bearer {kubernetes.token}"}
        return await send(app, method, target, token | headers, body)

    return ask


@pytest.mark.parametrize("path", ["/health/liveness", "/health/readiness"])
async def test_it_is_alive_and_ready_for_everybody(app, path):
    assert (await send(app, "GET", path)).status == 200


async def test_lambdas_are_listed_and_read(ask):
    (found,) = (await ask("GET", LAMBDAS)).data["items"]
    assert (found["name"], found["labels"]) == ("hello", {"app": "shop"})
    one = await ask("GET", f"{LAMBDAS}/hello")
    assert one.data["spec"]["runtime"] == "python3.11"
    again = await ask("GET", f"{LAMBDAS}/hello", **{"If-None-Match": one.headers["etag"]})
    assert again.status == 304


async def test_a_write_shows_in_the_very_next_read(ask, kubernetes):
    from tests.helpers.raw_api import MERGE, RawApi  # noqa: PLC0415

    raw, path = RawApi(kubernetes.kubeconfig, "default"), "knative-lambda.dev/lambdafunctions/hello"
    for value in ("one", "two", "shop"):
        raw.send("PATCH", path, {"metadata": {"labels": {"app": value}}}, MERGE)
        (found,) = (await ask("GET", LAMBDAS)).data["items"]
        assert found["labels"] == {"app": value}


async def test_its_own_kubeconfig_opens_nothing(app):
    for token in ("not-a-token", "x"):
        response = await send(app, "GET", LAMBDAS, {"Authorization": f"Bearer {token}"})
        assert response.status == 401
    assert (await send(app, "GET", LAMBDAS)).status == 401


async def test_the_log_of_a_build_comes_from_storage(ask):
    response = await ask("GET", f"{LAMBDAS}/hello/builds/{BUILD}/log")
    assert response.body == b"installed\n"
    builds = (await ask("GET", f"{LAMBDAS}/hello/builds")).data["items"]
    assert [build["id"] for build in builds] == [BUILD]


async def test_a_source_is_uploaded_to_the_address_that_the_api_gives(ask, storage):
    content = b"zip" * 1000
    sha256 = hashlib.sha256(content).hexdigest()
    body = json.dumps({"name": "hello", "sha256": sha256, "size": len(content)}).encode()
    asked = (await ask("POST", "/v1/namespaces/default/uploads", body)).data
    sent = await ask("PUT", f"/v1/namespaces/default/{asked['url']}", content, **asked["headers"])
    assert (sent.status, sent.data["uri"]) == (201, asked["uri"])
    assert (storage / f"uploads/default/hello/{sha256}.zip").read_bytes() == content
