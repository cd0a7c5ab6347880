"""kustomize, and the embedded platform's reader of kustomizations, make the same of config/."""

from __future__ import annotations

import os
import re
import subprocess

import pytest
import yaml

from kn_lambda.tenants.manifests import Tenant, tenant_manifests
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
    (broker,) = brokers
    assert broker["metadata"]["annotations"]["eventing.knative.dev/broker.class"] == "Kafka"


@pytest.mark.parametrize("overlay", ["staging", "production"])
def test_no_tenant_and_no_namespace_of_others_is_in_what_clusters_get(render, overlay):
    objects = render(overlay)
    namespaces = {item["metadata"].get("namespace") for item in objects} - {None}
    namespaces |= {item["metadata"]["name"] for item in objects if item["kind"] == "Namespace"}
    assert namespaces == {"knative-lambda", "knative-lambda-builds"}


@pytest.mark.parametrize("components", [(), ("kafka-broker",), ("kafka-broker", "pull-secret")])
def test_a_tenant_of_the_command_line_is_what_kustomize_makes_of_the_same_components(
    kubectl, tmp_path, components
):
    folder = REPOSITORY / "config" / "components"
    fields = {
        "namespace": "team-a",
        "components": [
            os.path.relpath(folder / name, tmp_path.resolve()) for name in ("tenant", *components)
        ],
    }
    (tmp_path / "kustomization.yaml").write_text(yaml.safe_dump(fields))
    command = [kubectl, "kustomize", str(tmp_path)]
    answer = subprocess.run(command, capture_output=True, check=True)
    made = tenant_manifests(Tenant(name="team-a", components=components))
    assert by_identity(yaml.safe_load_all(answer.stdout)) == by_identity(made)


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


def test_an_operator_publishes_the_api_and_no_other_function(render, tmp_path):
    config = os.path.relpath(REPOSITORY / "config", tmp_path)
    overlay = {"resources": [f"{config}/base"], "components": [f"{config}/components/public-api"]}
    (tmp_path / "kustomization.yaml").write_text(yaml.safe_dump(overlay))
    published = set()
    for item in render(tmp_path):
        if item["apiVersion"] == "serving.knative.dev/v1" and item["kind"] == "Service":
            labels = (item["metadata"]["labels"], item["spec"]["template"]["metadata"]["labels"])
            visibility = {each.get("networking.knative.dev/visibility") for each in labels}
            assert len(visibility) == 1
            published |= {item["metadata"]["name"]} if visibility == {None} else set()
    assert published == {"api"}
