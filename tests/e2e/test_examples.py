"""Every folder of examples/ does on a cluster, by URL and by event, what its README says."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.helpers.example_responses import RESPONSES, assert_as_documented
from tests.helpers.http_client import post_event_file
from tests.helpers.waiting import wait_for

if TYPE_CHECKING:
    from pathlib import Path

    from tests.e2e.helpers.recorder import Recorder
    from tests.helpers.cluster import Cluster


@pytest.mark.parametrize("example", RESPONSES)
def test_an_example_answers_its_event(cluster: Cluster, examples: Path, example: str):
    deployed = cluster.deploy(examples / example)

    answer = cluster.call_with_file(example, examples / example / "event.json")

    assert deployed["url"] == (cluster.record(example) or {})["status"]["url"]
    assert_as_documented(example, answer)


def test_functions_that_listen_to_each_other_make_a_chain(
    cluster: Cluster, recorder: Recorder, examples: Path
):
    for name in ("order-pricer", "order-confirmation"):
        cluster.deploy(examples / name)
    chain = "com.example.order."
    before = len(recorder.events(type=f"{chain}confirmed"))

    sent = post_event_file(cluster.tenant_broker, examples / "order-pricer" / "event.json")

    assert sent.status == 202
    wait_for(lambda: len(recorder.events(type=f"{chain}confirmed")) > before)
    confirmed = recorder.events(type=f"{chain}confirmed")[before:]
    assert [event["attributes"]["lambdafunction"] for event in confirmed] == [
        "default/order-confirmation"
    ]
    text = "Dear Ada, your order 1001 costs 49.50 EUR. The tea shop"
    assert json.loads(confirmed[0]["data"])["text"] == text


def test_what_a_function_prints_is_in_its_log(cluster: Cluster, examples: Path):
    folder = examples / "functions-framework-sample"
    cluster.deploy(folder)
    cluster.call_with_file("functions-framework-sample", folder / "event.json")
    event = json.loads((folder / "event.json").read_text())
    line = f"Received event with ID: {event['id']} and data {event['data']}"

    wait_for(lambda: line in cluster.kn_lambda("logs", "functions-framework-sample").stdout)
