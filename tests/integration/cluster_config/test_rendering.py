"""kustomize, and the embedded platform's reader of kustomizations, make the same of config/."""

from __future__ import annotations

import re

import pytest

from lambda_embedded.configuration.kustomization import read_kustomization
from tests.helpers.api_server import REPOSITORY

OVERLAYS = ["dev", "staging", "production"]


def by_identity(objects):
    return {
        (item["kind"], item["metadata"].get("namespace"), item["metadata"]["name"]): item
        for item in objects
    }


def images(objects):
    return [
        container.pop("image")
        for item in objects
        if item["apiVersion"].startswith("serving.knative.dev/")
        for container in item["spec"]["template"]["spec"]["containers"]
    ]


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_both_read_the_same_objects(render, overlay):
    rendered = render(overlay)
    read = read_kustomization(REPOSITORY / "config" / "overlays" / overlay)
    images(rendered)  # on a cluster alone they are pulled
    images(read)
    assert by_identity(rendered) == by_identity(read)


@pytest.mark.parametrize("overlay", ["staging", "production"])
def test_images_are_named_by_digest(render, overlay):
    objects = render(overlay)
    (settings,) = [item["data"] for item in objects if item["kind"] == "ConfigMap"]
    for image in [*images(objects), settings["KN_LAMBDA_BUILD_JOB_IMAGE"]]:
        assert re.search("@sha256:[0-9a-f]{64}$", image)


@pytest.mark.parametrize("overlay", ["staging", "production"])
def test_brokers_are_durable_where_events_matter(render, overlay):
    brokers = [item for item in render(overlay) if item["kind"] == "Broker"]
    assert len(brokers) == 2
    for broker in brokers:
        assert broker["metadata"]["annotations"]["eventing.knative.dev/broker.class"] == "Kafka"


@pytest.mark.parametrize("overlay", ["staging", "production"])
def test_every_namespace_denies_what_nobody_allows(render, overlay):
    objects = render(overlay)
    names = {item["metadata"]["name"] for item in objects if item["kind"] == "Namespace"}
    denying = {
        item["metadata"]["namespace"]
        for item in objects
        if item["kind"] == "NetworkPolicy"
        and item["spec"].get("podSelector") == {}
        and item["spec"]["policyTypes"] == ["Ingress", "Egress"]
    }
    assert denying == names


@pytest.mark.parametrize("overlay", ["dev", "staging", "production"])
def test_no_policy_leads_to_a_clouds_metadata(render, overlay):
    for policy in (item for item in render(overlay) if item["kind"] == "NetworkPolicy"):
        for rule in policy["spec"].get("egress", ()):
            for block in (to["ipBlock"] for to in rule["to"] if "ipBlock" in to):
                if block["cidr"] == "0.0.0.0/0":
                    assert "169.254.0.0/16" in block["except"]
