"""The HTTP API on one machine: the same routes, and the token of the data folder."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile

import pytest

from tests.embedded.helpers.listeners import listening_addresses
from tests.helpers.http_client import request
from tests.helpers.lambda_platform import PYTHON

MAIN = "def handler(event):\n    print('it was called')\n    return {'hello': 'world'}\n"


@pytest.fixture
def ask(platform):
    def ask(method, path, body=None, **headers):
        url = f"{platform.control_url('api')}v1/namespaces/default{path}"
        return request(method, url, body, platform.authorization | headers)

    return ask


def archive():
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as file:
        file.writestr("main.py", MAIN)
    return target.getvalue()


def test_a_source_goes_through_the_api_and_the_lambda_is_read_there(platform, ask, unique_name):
    content = archive()
    sha256 = hashlib.sha256(content).hexdigest()
    wanted = {"name": unique_name, "sha256": sha256, "size": len(content)}
    address = ask("POST", "/uploads", json.dumps(wanted).encode()).data
    stored = ask(address["method"], f"/{address['url']}", content, **address["headers"])
    assert (stored.status, stored.data["uri"]) == (201, address["uri"])

    spec = {"runtime": PYTHON, "source": {"uri": address["uri"]}}
    platform.send_build_start(unique_name, {}, spec=spec)
    platform.await_phase(unique_name, "Ready")

    found = ask("GET", f"/lambdas/{unique_name}")
    assert found.data["status"]["phase"] == "Ready"
    tag = next(text for name, text in found.headers.items() if name.lower() == "etag")
    again = ask("GET", f"/lambdas/{unique_name}", **{"If-None-Match": tag})
    assert again.status == 304
    listed = ask("GET", "/lambdas?phase=Ready&limit=200").data["items"]
    assert unique_name in {item["name"] for item in listed}
    (build,) = ask("GET", f"/lambdas/{unique_name}/builds").data["items"]
    assert build["newest"]
    assert ask("GET", f"/lambdas/{unique_name}/logs").status == 200


def test_without_the_token_there_is_no_api(platform):
    url = f"{platform.control_url('api')}v1/namespaces/default/lambdas"
    assert request("GET", url).status == 404
    assert request("GET", url, headers={"Authorization": "Bearer wrong"}).status == 404


def test_its_process_takes_nothing_past_the_gateway(platform, ask):
    assert ask("GET", "/lambdas").status == 200
    path = "/v1/namespaces/default/lambdas"
    ports = {
        port
        for pid in platform.processes("guarded_function")
        for _, port in listening_addresses(pid)
    }
    answers = [
        request("GET", f"http://127.0.0.1:{port}{path}", headers=platform.authorization)
        for port in ports
    ]
    assert answers
    assert {answer.status for answer in answers} == {401}


def test_a_caller_cannot_choose_what_the_gateway_shows_the_process(platform):
    forged = platform.authorization | {"Knative-Lambda-Platform": "forged"}
    url = f"{platform.control_url('api')}v1/namespaces/default/lambdas"
    assert request("GET", url, headers=forged).status == 200
