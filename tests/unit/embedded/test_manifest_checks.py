from __future__ import annotations

from pathlib import Path

import pytest

from lambda_embedded.configuration.checks import check_manifests
from lambda_embedded.configuration.kustomization import KustomizationError
from lambda_embedded.configuration.manifests import read_manifests

OVERLAYS = Path(__file__).parents[3] / "config" / "overlays"


def trigger(**spec):
    return {
        "apiVersion": "eventing.knative.dev/v1",
        "kind": "Trigger",
        "metadata": {"name": "orders", "namespace": "default"},
        "spec": {"broker": "default", "subscriber": {"uri": "http://a.example/"}, **spec},
    }


@pytest.mark.parametrize("overlay", ["dev", "staging", "production"])
def test_our_own_configuration_is_taken(overlay):
    check_manifests(read_manifests(OVERLAYS / overlay, config_maps={}).wanted)


@pytest.mark.parametrize(
    ("item", "field"),
    [
        (trigger(filtre={"attributes": {"type": "a"}}), "spec.filtre"),
        (trigger(filter={"attribute": {}}), "spec.filter.attribute"),
        (trigger(broker=5), "spec.broker"),
        (trigger(subscriber={}), "spec.subscriber.ref"),
    ],
)
def test_what_a_cluster_rejects_is_rejected_with_object_and_field(item, field):
    with pytest.raises(KustomizationError) as rejected:
        check_manifests([item])
    assert str(rejected.value).startswith("Trigger orders: ")
    assert field in str(rejected.value)


def test_checking_changes_nothing():
    item = trigger()
    check_manifests([item])
    assert item == trigger()


def test_many_faults_are_told_by_the_first_ones():
    unknown = trigger(**{"n" * 1000 + str(index): 1 for index in range(1000)})
    with pytest.raises(KustomizationError) as rejected:
        check_manifests([unknown])
    assert len(str(rejected.value)) < 50_000
