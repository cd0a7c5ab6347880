"""`kubectl explain` and the checks that kubectl makes by OpenAPI, version 2 (older) or 3."""

from __future__ import annotations

import json

import pytest


@pytest.mark.parametrize(
    ("field", "shown"),
    [
        ("lf", "What is there, as the control functions saw it last"),
        ("lambdafunction.spec.source", "Where the code is, in one of three ways"),
        ("lf.spec.scale", "concurrency"),
        ("pod.spec.containers.env", "valueFrom"),
        ("pod.spec.volumes", "secret"),
        ("job.spec", "backoffLimit"),
        ("secret", "stringData"),
        ("sa", "imagePullSecrets"),
        ("ns.status", "phase"),
        ("ev", "involvedObject"),
        ("cm.metadata", "ownerReferences"),
        ("rev", "KIND: "),
        ("pingsources", "spec"),
    ],
)
def test_a_field_is_explained(kubectl, field, shown):
    assert shown in kubectl("explain", field)


def test_a_field_that_is_not_there_is_named(kubectl):
    assert 'field "typo" does not exist' in kubectl.fails("explain", "lf.spec.typo")


def test_a_whole_kind_is_explained(kubectl):
    assert "configMapKeyRef" in kubectl("explain", "lf", "--recursive")


def test_what_is_applied_is_checked_before_it_is_sent(kubectl):
    item = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "one"},
        "data": {"a": "b"},
    }
    assert "created" in kubectl("apply", "-f", "-", text=json.dumps(item))


@pytest.mark.parametrize(
    ("field", "shown"),
    [
        ("ksvc.spec.template.spec", "containerConcurrency"),
        ("rev.spec.containers", "livenessProbe"),
        ("triggers.status", "subscriberUri"),
        ("brokers.spec", "delivery"),
    ],
)
def test_knative_s_kinds_are_explained_by_their_definitions(kubectl, field, shown):
    if shown not in kubectl("explain", field.partition(".")[0], "--recursive"):
        pytest.skip("the definitions of Knative's kinds are not in this checkout")
    assert shown in kubectl("explain", field)
