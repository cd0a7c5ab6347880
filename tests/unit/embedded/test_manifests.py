from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from lambda_embedded.configuration.manifests import (
    KustomizationError,
    apply_manifests,
    read_manifests,
)
from lambda_embedded.store.database import Database
from lambda_embedded.store.objects import Objects

REPOSITORY = Path(__file__).parents[3]
SETTINGS = ("knative-lambda", "knative-lambda-settings")


@pytest.fixture
def objects(tmp_path: Path):
    database = Database(tmp_path / "state.sqlite")
    yield Objects(database)
    database.close()


@pytest.fixture
def config(tmp_path: Path):
    """`config(overlay={...}, files={"a.yaml": [objects]})` writes a folder and returns it."""

    def write(fields: dict[str, Any], files: dict[str, Any], name: str = "config") -> Path:
        folder = tmp_path / name
        folder.mkdir()
        (folder / "kustomization.yaml").write_text(yaml.safe_dump(fields))
        for file, documents in files.items():
            (folder / file).write_text(yaml.safe_dump_all(documents))
        return folder

    return write


def broker(name: str = "b", **spec: Any) -> dict[str, Any]:
    metadata = {"name": name, "namespace": "n"}
    kind = {"apiVersion": "eventing.knative.dev/v1", "kind": "Broker"}
    return {**kind, "metadata": metadata, "spec": spec}


def config_map(name: str = "c", **data: str) -> dict[str, Any]:
    metadata = {"name": name, "namespace": "n"}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}


def read(folder: Path) -> tuple[dict[str, Any], ...]:
    return read_manifests(folder, config_maps={}).wanted


def test_our_own_configuration_is_understood():
    manifests = read_manifests(
        REPOSITORY / "config" / "overlays" / "dev", config_maps={SETTINGS: {"A": "b"}}
    )
    kinds = [item["kind"] for item in manifests.wanted]
    assert {"Namespace", "Broker", "Trigger", "Service", "PingSource", "ApiServerSource"} <= {
        *kinds
    }
    services = {item["metadata"]["name"] for item in manifests.wanted if item["kind"] == "Service"}
    assert services == {"api", "build-start", "publish", "build-complete", "delete", "cleanup"}
    (settings,) = [item for item in manifests.wanted if item["kind"] == "ConfigMap"]
    assert settings["data"] == {"A": "b"}


def test_resources_of_other_folders_are_included(config):
    config({"resources": ["b.yaml"]}, {"b.yaml": [broker(), config_map()]}, "base")
    overlay = config({"resources": ["../base"], "namespace": "m"}, {}, "overlay")
    assert [(item["kind"], item["metadata"]["namespace"]) for item in read(overlay)] == [
        ("ConfigMap", "m"),
        ("Broker", "m"),
    ]


def test_a_secret_of_the_machine_is_added_and_wins_over_that_of_the_configuration(config):
    theirs = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s", "namespace": "n"}}
    folder = config(
        {"resources": ["a.yaml"]},
        {"a.yaml": [{**theirs, "data": {"A": "b2xk", "B": "Yg=="}, "stringData": {"A": "old"}}]},
    )
    given = {("n", "s"): {"A": "bmV3"}, ("n", "other"): {"C": "Yw=="}, ("n", "empty"): {}}

    wanted = read_manifests(folder, config_maps={}, secrets=given).wanted

    found = {item["metadata"]["name"]: item for item in wanted}
    assert found["s"]["data"] == {"A": "bmV3", "B": "Yg=="}
    assert found["s"]["stringData"] == {}
    assert (found["other"]["kind"], found["other"]["data"]) == ("Secret", {"C": "Yw=="})
    assert set(found) == {"s", "other"}


def test_kinds_of_a_cluster_only_are_listed_and_left_out(config):
    role = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": {"name": "r"}}
    core_service = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "s"}}
    folder = config({"resources": ["a.yaml"]}, {"a.yaml": [role, core_service, broker()]})
    manifests = read_manifests(folder, config_maps={})
    assert [item["kind"] for item in manifests.wanted] == ["Broker"]
    assert manifests.ignored == ("Role", "Service")


def test_what_only_a_cluster_needs_is_left_out(config):
    marked = broker()
    marked["metadata"]["annotations"] = {"knative-lambda.dev/embedded": "false"}
    folder = config({"resources": ["a.yaml"]}, {"a.yaml": [marked, config_map()]})
    assert [item["kind"] for item in read(folder)] == ["ConfigMap"]


def test_labels_reach_objects_and_templates_where_wanted(config):
    service = {
        "apiVersion": "serving.knative.dev/v1",
        "kind": "Service",
        "metadata": {"name": "s"},
        "spec": {"template": {"spec": {}}},
    }
    fields = {
        "resources": ["a.yaml"],
        "labels": [{"pairs": {"own": "1"}}, {"pairs": {"all": "1"}, "includeTemplates": True}],
    }
    (item,) = read(config(fields, {"a.yaml": [service]}))
    assert item["metadata"]["labels"] == {"own": "1", "all": "1"}
    assert item["spec"]["template"]["metadata"]["labels"] == {"all": "1"}


def test_components_change_what_they_are_given(config):
    config(
        {
            "kind": "Component",
            "patches": [{"patch": yaml.safe_dump(broker(delivery={"retry": 2}))}],
        },
        {},
        "component",
    )
    folder = config(
        {"resources": ["a.yaml"], "components": ["../component"]},
        {"a.yaml": [broker(delivery={"retry": 1, "timeout": "PT1S"})]},
    )
    (item,) = read(folder)
    assert item["spec"]["delivery"] == {"retry": 2, "timeout": "PT1S"}


@pytest.mark.parametrize(
    ("operation", "spec"),
    [
        ({"op": "replace", "path": "/spec/a", "value": 2}, {"a": 2, "l": [1]}),
        ({"op": "add", "path": "/spec/b~1c", "value": 2}, {"a": 1, "b/c": 2, "l": [1]}),
        ({"op": "add", "path": "/spec/l/-", "value": 2}, {"a": 1, "l": [1, 2]}),
        ({"op": "add", "path": "/spec/l/0", "value": 0}, {"a": 1, "l": [0, 1]}),
        ({"op": "remove", "path": "/spec/a"}, {"l": [1]}),
    ],
)
def test_json_patches_are_applied(config, operation, spec):
    patch = {"target": {"kind": "Broker"}, "patch": yaml.safe_dump([operation])}
    folder = config({"resources": ["a.yaml"], "patches": [patch]}, {"a.yaml": [broker(a=1, l=[1])]})
    assert read(folder)[0]["spec"] == spec


def test_generated_config_maps_are_made_and_merged(config):
    base = {"configMapGenerator": [{"name": "c", "literals": ["a=1", "b=x=y"]}], "namespace": "n"}
    config(base, {}, "base")
    merged = {"name": "c", "behavior": "merge", "literals": ["a=2"]}
    overlay = config({"resources": ["../base"], "configMapGenerator": [merged]}, {}, "overlay")
    assert read(overlay)[0]["data"] == {"a": "2", "b": "x=y"}


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"helmCharts": []}, "helmCharts"),
        ({"resources": ["https://example.com/x"]}, "network"),
        ({"resources": ["missing.yaml"]}, "missing.yaml"),
        ({"resources": ["a.yaml", "a.yaml"]}, "twice"),
        ({"resources": ["."]}, "includes itself"),
        ({"resources": "a.yaml"}, "must be a list"),
        ({"patches": [{"patch": "kind: Broker\nmetadata: {name: x}"}]}, "nothing matches"),
        ({"patches": [{"patch": "[]"}]}, "needs a target"),
        ({"configMapGenerator": [{"name": "c", "literals": ["a"]}]}, "key=value"),
        (
            {
                "resources": ["a.yaml"],
                "patches": [
                    {"target": {"kind": "Broker"}, "patch": "[{op: replace, path: /a/b, value: 1}]"}
                ],
            },
            "no such place",
        ),
    ],
)
def test_what_is_not_understood_is_named(config, fields, message):
    folder = config(fields, {"a.yaml": [broker()]})
    with pytest.raises(KustomizationError, match=message):
        read(folder)


def test_applying_twice_writes_nothing(objects: Objects):
    wanted = [config_map(a="1"), broker(retry=1)]
    first = apply_manifests(objects, wanted)
    version = objects.resource_version
    second = apply_manifests(objects, wanted)
    assert first.created == ("ConfigMap n/c", "Broker n/b")
    assert (second.created, second.changed, second.removed) == ((), (), ())
    assert objects.resource_version == version


def test_a_change_is_applied_and_the_status_stays(objects: Objects):
    apply_manifests(objects, [broker(retry=1)])
    objects.update_status("Broker", "n", "b", {"ready": True})
    applied = apply_manifests(objects, [broker(retry=2)])
    item = objects.get("Broker", "n", "b")
    assert applied.changed == ("Broker n/b",)
    assert (item["spec"], item["status"]) == ({"retry": 2}, {"ready": True})
    assert item["metadata"]["generation"] == 2


def test_what_left_the_configuration_is_removed_and_nothing_else(objects: Objects):
    objects.create("Broker", broker("of-a-person"))
    apply_manifests(objects, [broker("old"), broker("kept")])
    applied = apply_manifests(objects, [broker("kept")])
    assert applied.removed == ("Broker n/old",)
    names = [item["metadata"]["name"] for item in objects.list("Broker")]
    assert names == ["kept", "of-a-person"]
