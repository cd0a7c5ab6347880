"""Functions that listen to each other through the tenant's Broker."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tests.embedded.helpers.running_platform import CHECKOUT
from tests.helpers.http_client import post_event, post_event_file

if TYPE_CHECKING:
    from tests.embedded.helpers.embedded_platform import EmbeddedPlatform

ECHO = """
from cloudevents.http import CloudEvent

def handler(event):
    print("called with", event["id"])
    attributes = {"type": event["type"], "source": "/echo", "id": "reply-to-" + event["id"]}
    return CloudEvent(attributes, {"again": True})
"""


def test_a_reply_reaches_the_function_that_subscribes_to_it(own_platform: EmbeddedPlatform):
    examples = CHECKOUT / "examples"
    for name in ("order-pricer", "order-confirmation"):
        own_platform.deploy(examples / name)

    event = examples / "order-pricer" / "event.json"
    to = own_platform.tenant_broker
    sent = post_event_file(to, event, headers=own_platform.authorization)

    assert sent.status == 202
    own_platform.await_settled()
    chain = [event["attributes"] for event in own_platform.events() if event["broker"] == "default"]
    assert [attributes["type"].rpartition(".")[2] for attributes in chain] == [
        "placed",
        "priced",
        "confirmed",
    ]
    assert [attributes.get("lambdafunction") for attributes in chain] == [
        None,
        "default/order-pricer",
        "default/order-confirmation",
    ]
    log = own_platform.kn_lambda("logs", "order-confirmation").stdout
    assert log.count("Dear Ada, your order 1001 costs 49.50 EUR.") == 1


def test_a_reply_never_loops_back_to_its_own_function(
    platform: EmbeddedPlatform, write_function, unique_name: str
):
    own_type = f"com.example.{unique_name}"
    spec = {"runtime": "python", "subscriptions": [{"type": own_type}]}
    manifest = {
        "apiVersion": "knative-lambda.dev/v1alpha1",
        "kind": "LambdaFunction",
        "metadata": {"name": unique_name},
        "spec": spec,
    }
    # JSON is YAML.
    files = {"function.yaml": json.dumps(manifest).encode()}
    platform.deploy(write_function(ECHO, **files))

    post_event(
        platform.tenant_broker, {}, headers=platform.authorization, type=own_type, id="first"
    )
    platform.await_settled()

    seen = [event["attributes"]["id"] for event in platform.events(type=own_type)]
    assert seen == ["first", "reply-to-first"]
    assert platform.kn_lambda("logs", unique_name).stdout.count("called with") == 1
