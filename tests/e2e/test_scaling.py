"""Nothing runs while nothing is asked, and who asks then is answered."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.helpers.cluster import CONTROL

if TYPE_CHECKING:
    from tests.helpers.cluster import Cluster

HELLO = "def handler(event):\n    return {'hello': event.data['name']}\n"
FUNCTIONS = ("build-start", "build-complete", "delete")


def test_a_lambda_goes_to_zero_and_is_woken_by_a_request(
    cluster: Cluster, write_function, unique_name: str
):
    cluster.deploy(write_function(HELLO), "--name", unique_name)
    assert cluster.call(unique_name, {"name": "Ada"}).data == {"hello": "Ada"}

    cluster.await_zero(unique_name)
    answer = cluster.call(unique_name, {"name": "again"})

    assert (answer.status, answer.data) == (200, {"hello": "again"})


def test_the_builder_goes_to_zero_and_comes_back(cluster: Cluster, write_function, unique_name):
    for function in FUNCTIONS:
        cluster.await_zero(function, CONTROL)

    cluster.deploy(write_function(HELLO), "--name", unique_name)

    assert cluster.call(unique_name, {"name": "Ada"}).data == {"hello": "Ada"}
