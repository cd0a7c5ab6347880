"""Every folder of examples/ does, deployed and called over HTTP, what its README says."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.embedded.helpers.running_platform import CHECKOUT
from tests.helpers.example_responses import RESPONSES, assert_as_documented
from tests.helpers.http_client import post_event_file, request

if TYPE_CHECKING:
    from tests.embedded.helpers.embedded_platform import EmbeddedPlatform

EXAMPLES = CHECKOUT / "examples"
NODE = ("node", "apt-get install nodejs npm")


def test_every_example_has_a_response_here():
    assert {file.parent.name for file in EXAMPLES.glob("*/function.yaml")} == set(RESPONSES)


@pytest.mark.parametrize("example", RESPONSES)
def test_an_example_answers_its_event(platform: EmbeddedPlatform, require_server, example: str):
    if example == "hello-node":
        require_server(*NODE)
        require_server("npm", NODE[1])
    folder = EXAMPLES / example
    deployed = platform.deploy(folder)

    answer = post_event_file(deployed["url"], folder / "event.json")

    assert_as_documented(example, answer)


def test_a_functions_framework_function_writes_to_its_log(platform: EmbeddedPlatform):
    folder = EXAMPLES / "functions-framework-sample"
    deployed = platform.deploy(folder)
    post_event_file(deployed["url"], folder / "event.json")

    log = platform.kn_lambda("logs", "functions-framework-sample").stdout

    event = json.loads(Path(folder / "event.json").read_text())
    assert f"Received event with ID: {event['id']} and data {event['data']}" in log


def test_the_http_function_of_the_same_file_answers_http(platform: EmbeddedPlatform):
    folder = EXAMPLES / "functions-framework-sample"
    options = ("--handler", "main.hello_http", "--name", "framework-http", "--signature", "http")
    deployed = platform.deploy(folder, *options)

    answer = request("GET", deployed["url"] + "?name=Ada")

    assert (answer.status, answer.body) == (200, b"Hello Ada!\n")


def test_an_order_that_cannot_be_priced_is_refused_with_the_reason(platform: EmbeddedPlatform):
    platform.deploy(EXAMPLES / "order-pricer")
    event = json.loads((EXAMPLES / "order-pricer" / "event.json").read_text())
    order = {**event["data"], "items": [{"sku": "samovar", "quantity": 1}]}

    options = ("--type", "com.example.order.placed", "-o", "json")
    done = platform.kn_lambda("invoke", "order-pricer", "--data", json.dumps(order), *options)

    reply = json.loads(done.stdout)
    assert reply["type"] == "com.example.order.refused"
    assert "there is no price for samovar" in reply["data"]["reason"]
