"""The doctor asks kubelets whether they limit the processes of a Pod."""

from __future__ import annotations

import pytest

from kn_lambda.checks.check import Verdict
from kn_lambda.checks.nodes import check_process_limit
from kn_lambda.cluster.api import ClusterApi
from knative_lambda.domain.errors import PlatformUnavailableError


class Kubelets:
    """An API whose nodes have these limits; an error is what the kubelet answers with."""

    def __init__(self, **limits):
        self.limits = limits
        self.forbidden = set()
        self.asked = []

    def may(self, verb, resource, namespace, *, group=""):
        assert (namespace, group) == ("", "")
        return f"{verb} {resource}" not in self.forbidden

    def list(self, resource, namespace):
        assert (resource.plural, namespace) == ("nodes", None)
        yield from ({"metadata": {"name": name}} for name in self.limits)

    def kubelet_configuration(self, node):
        self.asked.append(node)
        limit = self.limits[node]
        if isinstance(limit, Exception):
            raise limit
        return {} if limit is None else {"podPidsLimit": limit}


def test_a_limit_on_every_node_is_well():
    assert check_process_limit(Kubelets(a=1024, b=4096)) == (
        Verdict.OK,
        "a Pod has at most 4096 processes on 2 nodes",
        "",
    )


@pytest.mark.parametrize("unlimited", [-1, 0])
def test_a_node_without_a_limit_is_a_warning_that_names_it(unlimited):
    verdict, found, hint = check_process_limit(Kubelets(a=1024, b=unlimited))
    assert (verdict, found) == (
        Verdict.WARNING,
        "a Pod may start any number of processes on b",
    )
    assert "podPidsLimit" in hint


def test_of_many_nodes_without_a_limit_the_first_are_named():
    _, found, _ = check_process_limit(Kubelets(**dict.fromkeys("abcde", -1)))
    assert found.endswith("on a, b, c and 2 more")


@pytest.mark.parametrize("permission", ["list nodes", "get nodes/proxy"])
def test_who_may_not_ask_kubelets_is_told_what_to_look_at(permission):
    api = Kubelets(a=-1)
    api.forbidden.add(permission)
    verdict, found, hint = check_process_limit(api)
    assert (verdict, found) == (Verdict.WARNING, f"not checked: you cannot {permission}")
    assert "podPidsLimit" in hint
    assert not api.asked


@pytest.mark.parametrize("silent", [PlatformUnavailableError("no route"), None, "many"])
def test_a_kubelet_that_does_not_tell_is_not_taken_for_a_limit(silent):
    verdict, found, _ = check_process_limit(Kubelets(a=1024, b=silent))
    assert (verdict, found) == (
        Verdict.WARNING,
        "not checked: no usable answer from the kubelets of b",
    )


def test_a_node_without_a_limit_is_told_even_if_another_is_silent():
    _, found, _ = check_process_limit(Kubelets(a=PlatformUnavailableError("no route"), b=-1))
    assert found == "a Pod may start any number of processes on b"


def test_a_cluster_without_nodes_is_not_well():
    verdict, found, _ = check_process_limit(Kubelets())
    assert (verdict, found) == (
        Verdict.WARNING,
        "not checked: no usable answer from the kubelets of any node",
    )


def test_of_a_large_cluster_fifty_nodes_are_asked():
    api = Kubelets(**{f"node-{number}": 100 for number in range(60)})
    verdict, found, _ = check_process_limit(api)
    assert (verdict, len(api.asked)) == (Verdict.OK, 50)
    assert found == "a Pod has at most 100 processes on 50 nodes (others were not asked)"


@pytest.mark.parametrize(
    ("response", "configuration"),
    [
        ({"kubeletconfig": {"podPidsLimit": 7}}, {"podPidsLimit": 7}),
        ({"kubeletconfig": [1]}, {}),
        ({}, {}),
    ],
)
def test_a_kubelets_configuration_is_asked_through_the_api(monkeypatch, response, configuration):
    asked = []

    def answer(_api, method, path):
        asked.append((method, path))
        return response

    monkeypatch.setattr(ClusterApi, "_json", answer)
    assert ClusterApi().kubelet_configuration("node-1") == configuration
    assert asked == [("GET", "/api/v1/nodes/node-1/proxy/configz")]
