"""An event for one function alone, on Knative's own Brokers."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tests.helpers.waiting import wait_for

if TYPE_CHECKING:
    from tests.helpers.cluster import Cluster

CALLED = "def handler(event):\n    print('called with', event['id'])\n"


def test_it_reaches_no_other_function_that_subscribes_to_its_type(
    cluster: Cluster, unique_name: str
):
    type_, names = f"com.example.{unique_name}", (f"{unique_name}-one", f"{unique_name}-other")
    for name in names:
        subscribed = {"subscriptions": [{"type": type_}]}
        cluster.send_build_start(name, {"main.py": CALLED}, spec=subscribed)
    for name in names:
        cluster.await_phase(name, "Ready")

    def send(*arguments: str) -> str:
        done = cluster.kn_lambda(*arguments, "-o", "json")
        assert done.returncode == 0, done.stderr
        return str(json.loads(done.stdout)["id"])

    def calls(name: str, event_id: str) -> int:
        return cluster.kn_lambda("logs", name).stdout.count(f"called with {event_id}")

    alone = send("invoke", names[0], "--async")
    everybody = send("send", "--type", type_)

    # What came to the other one would have come before the second event, or soon after it.
    wait_for(lambda: [calls(name, everybody) for name in names] == [1, 1])
    wait_for(lambda: calls(names[0], alone) == 1)
    assert calls(names[1], alone) == 0
