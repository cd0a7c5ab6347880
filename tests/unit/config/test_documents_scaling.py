"""The numbers of docs/SCALING_STRATEGY.md are those of config/, of the settings and of the code."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from kn_lambda.tenants.manifests import COMPONENTS, Tenant, tenant_manifests
from knative_lambda.adapters.kubernetes import client
from knative_lambda.domain import text
from knative_lambda.inbound import dead_letters, endpoint
from knative_lambda.settings import BuildCompleteSettings, BuildStartSettings, CleanupSettings
from knative_lambda.settings.environment import _duration
from knative_lambda.use_cases import complete_build, delete_lambda, prepare_source, watch_build
from lambda_embedded.api.bodies.parsing import MAX_BYTES
from lambda_embedded.broker.settings import BrokerSettings
from lambda_embedded.configuration.kustomization import read_kustomization
from lambda_embedded.serving.settings import ServingSettings
from tests.helpers.dev_overlay import OBJECTS, REPOSITORY
from tests.unit.config.helpers.build_jobs import build_job_of
from tests.unit.config.helpers.documents import Document, codes, numbers
from tests.unit.config.helpers.lambda_function_schema import SCHEMA
from tests.unit.config.helpers.log_sizes import log_sizes

SCALING = Document("SCALING_STRATEGY.md")
RENDERED = {"dev": OBJECTS} | {
    overlay: read_kustomization(REPOSITORY / "config" / "overlays" / overlay)
    for overlay in ("staging", "production")
}
MIB = 1024 * 1024
UNITS = {"": 1, "m": 0.001, "Mi": MIB, "Gi": 1024 * MIB}


def named(kind, name, overlay="dev"):
    (item,) = [
        item
        for item in RENDERED[overlay]
        if (item["kind"], item["metadata"]["name"]) == (kind, name)
    ]
    return item


def quantity(text_):
    amount, unit = re.fullmatch(r"([0-9.]+)([a-zA-Z]*)", text_).groups()
    return float(amount) * UNITS[unit]


def scale_of(name, overlay):
    template = named("Service", name, overlay)["spec"]["template"]
    annotations = template["metadata"]["annotations"]
    return [annotations[f"autoscaling.knative.dev/{part}"] for part in ("min-scale", "max-scale")]


# The functions


@pytest.mark.parametrize("row", SCALING.rows("function", "min", "max"), ids=lambda row: row[0])
def test_a_function_scales_as_it_says(row):
    name = row[0]
    template = named("Service", name)["spec"]["template"]
    (container,) = template["spec"]["containers"]
    resources = container["resources"]
    assert row[1:] == [
        *scale_of(name, "dev"),
        *scale_of(name, "production"),
        scale_of(name, "staging")[1],
        template["metadata"]["annotations"]["autoscaling.knative.dev/target"],
        str(template["spec"]["containerConcurrency"]),
        *(f"{resources['requests'][r]} to {resources['limits'][r]}" for r in ("cpu", "memory")),
        str(template["spec"]["timeoutSeconds"]),
    ]
    threads = {v["value"] for v in container.get("env", ()) if v["name"] == "THREADS"}
    # An ASGI server has no such threads.
    assert threads == ({row[7]} if name != "api" else set())


def test_every_function_is_there():
    functions = {path.parent.name for path in (REPOSITORY / "functions").glob("*/main.py")}
    assert {row[0] for row in SCALING.rows("function", "min", "max")} == functions


def test_as_many_events_are_at_work_as_it_says():
    concurrency = named("Service", "build-start")["spec"]["template"]["spec"][
        "containerConcurrency"
    ]
    most = {name: int(scale_of("build-start", name)[1]) for name in ("dev", "production")}
    assert (
        f"**max {most['dev']}** is {most['dev'] * concurrency} concurrent events, "
        f"**{most['production']}** is {most['production'] * concurrency}." in SCALING.text
    )
    assert (
        f"handles {most['dev'] * concurrency} at once "
        f"(production: {most['production'] * concurrency})" in SCALING.text
    )
    assert prepare_source._SPOOL_BYTES == 4 * MIB
    assert "4 MiB of source in memory" in SCALING.text
    looks = round(1 / complete_build._POLL_SECONDS)
    assert f"waits for a revision polls {looks} times a second" in SCALING.text


# Times


def tries_of(broker):
    delivery = broker["spec"]["delivery"]
    first = float(re.fullmatch(r"PT([0-9.]+)S", delivery["backoffDelay"])[1])
    return sum(first * 2**attempt for attempt in range(delivery["retry"]))


def seconds(duration):
    return int(duration.total_seconds())


def test_the_times_are_those_of_the_settings_and_each_is_longer_than_the_one_before():
    service = named("Service", "build-complete")["spec"]["template"]["spec"]
    control = named("Broker", "knative-lambda")
    said = [int(row[1]) for row in SCALING.rows("what", "seconds")]
    assert said == [
        client._READ_SECONDS,
        seconds(BuildCompleteSettings.follow_timeout),
        seconds(BuildCompleteSettings.ready_timeout),
        seconds(BuildCompleteSettings.start_timeout),
        seconds(CleanupSettings.pass_timeout),
        service["timeoutSeconds"],
        seconds(_duration(control["spec"]["delivery"]["timeout"])),
        seconds(BuildStartSettings.build_timeout),
        seconds(CleanupSettings.stuck_after),
        int(tries_of(control)),
        seconds(CleanupSettings.job_retention),
        seconds(CleanupSettings.tombstone_retention),
    ]
    assert said == sorted(set(said))
    assert build_job_of()["spec"]["ttlSecondsAfterFinished"] == said[-2]


@pytest.mark.parametrize("row", SCALING.rows("Broker", "retry"), ids=lambda row: row[0])
def test_a_broker_delivers_as_it_says(row):
    (name,) = codes(row[0])
    delivery = named("Broker", name)["spec"]["delivery"]
    assert row[1:] == [str(delivery["retry"]), delivery["backoffDelay"], delivery["timeout"]]
    assert delivery["backoffPolicy"] == "exponential"


@pytest.mark.parametrize("components", [(), COMPONENTS])
def test_a_tenants_broker_waits_longer_than_any_lambda_may_take(components):
    items = tenant_manifests(Tenant(name="team-a", components=components))
    (delivery,) = [item["spec"]["delivery"] for item in items if item["kind"] == "Broker"]
    most = SCHEMA["spec"]["properties"]["timeoutSeconds"]["maximum"]
    assert seconds(_duration(delivery["timeout"])) > most
    assert f"waits longer than the {most} seconds that a lambda may take" in SCALING.text


# Builds


def test_as_many_builds_run_at_once_as_it_says():
    hard = named("ResourceQuota", "builds")["spec"]["hard"]
    pod = build_job_of()["spec"]["template"]["spec"]
    rows = SCALING.rows("ResourceQuota `builds`")
    assert {codes(row[0])[0] for row in rows} == {k for k, v in hard.items() if v != "0"}
    for cell, said, asked, at_once in rows:
        (name,) = codes(cell)
        assert said == hard[name]
        if name != "pods":
            kind, _, resource = name.partition(".")
            (container,) = pod["containers"]
            assert container["resources"][kind][resource] == asked
        assert int(at_once) == int(quantity(said) / quantity(asked) + 1e-9)
    assert min(int(row[3]) for row in rows) >= 50
    assert "50 builds run at once" in SCALING.text


def test_a_build_is_watched_as_long_as_it_says():
    without_pod, at_most = watch_build._POD_IS_MADE_WITHIN, BuildCompleteSettings.start_timeout
    assert f"{seconds(without_pod)} s if the quota allows it no Pod" in SCALING.text
    assert f"{seconds(at_most)} s at most" in SCALING.text
    assert f"only {seconds(at_most)} s for a node" in SCALING.text
    follow, ready = BuildCompleteSettings.follow_timeout, BuildCompleteSettings.ready_timeout
    assert f"watches the build for up to {seconds(follow)} s" in SCALING.text
    assert f"until its revision is ready, or for {seconds(ready)} s" in SCALING.text


def test_the_room_of_a_build_is_as_large_as_it_says():
    volumes = {v["name"]: v for v in build_job_of()["spec"]["template"]["spec"]["volumes"]}
    size = volumes["workspace"]["emptyDir"]["sizeLimit"]
    assert f"{size} of workspace" in SCALING.text
    (volume,) = [
        v
        for v in named("Service", "build-start")["spec"]["template"]["spec"]["volumes"]
        if "emptyDir" in v
    ]
    assert f"in an `emptyDir` of {volume['emptyDir']['sizeLimit']}" in SCALING.text


# Lambdas


def test_lambdas_have_the_defaults_and_limits_that_it_says():
    spec = SCHEMA["spec"]["properties"]
    (limits,) = named("LimitRange", "lambdas")["spec"]["limits"]
    said = {codes(row[0])[0]: row[1:3] for row in SCALING.rows("field", "default", "maximum")}
    for name, field in spec["scale"]["properties"].items():
        default = str(field.get("default", "by `concurrency`"))
        assert said.pop(f"scale.{name}") == [default, str(field["maximum"])]
    timeout = spec["timeoutSeconds"]
    assert said.pop("timeoutSeconds") == [str(timeout["default"]), str(timeout["maximum"])]
    for name, field in spec["resources"]["properties"].items():
        default, most = said.pop(f"resources.{name}")
        assert default == ", ".join(field["default"].values())
        if name == "limits":
            assert most.startswith(", ".join(limits["max"].values()))
    assert not said


def test_a_tenant_has_the_quota_that_it_says():
    hard = dict(named("ResourceQuota", "lambdas")["spec"]["hard"])
    rows = SCALING.rows("tenant's ResourceQuota `lambdas`")
    (lambdas,) = [int(value) for name, value in hard.items() if name.startswith("count/")]
    assert {codes(name)[0]: value for name, value in rows} == {
        name: value
        for name, value in hard.items()
        if value != "0" and not name.startswith("count/")
    }
    assert f"also allows {lambdas:,} lambdas" in SCALING.text


# Sizes and retention


def test_sizes_are_those_of_the_code():
    said = {row[0]: row[1] for row in SCALING.rows_from("an event to the builder")}
    sizes = log_sizes()
    assert numbers(said["an event to the builder"]) == {endpoint.MAX_BODY_BYTES // MIB}
    assert text._MAX_FILES in numbers(said["`source.inline`"])
    assert numbers(said["`status.build.log`"]) == {sizes["_LOG_BYTES_IN_STATUS"]}
    assert numbers(said["`log` of `build.failed`"]) == {sizes["_LOG_BYTES_IN_EVENT"]}
    assert numbers(said["the log in storage"]) == {sizes["_LOG_BYTES"]}
    assert numbers(said["an error's body"]) == {endpoint._MAX_ERROR_BYTES}
    assert numbers(said["a source in storage"]) == {
        BuildStartSettings.source_max_bytes // MIB,
        BuildStartSettings.unpacked_max_bytes // MIB,
        BuildStartSettings.source_max_files,
    }
    assert numbers(said["a dead letter"]) == {dead_letters.MAX_BODY_BYTES // MIB}
    assert numbers(said["objects removed with a lambda"]) == {delete_lambda._OBJECTS_AT_ONCE}


@pytest.mark.parametrize("row", SCALING.rows("setting", "default", "staging"), ids=lambda r: r[0])
def test_things_are_kept_as_long_as_it_says(row):
    (name,) = codes(row[0])
    default = getattr(CleanupSettings, name.removeprefix("KN_LAMBDA_").lower())
    assert _duration(row[1]) == default
    for overlay, said in (("staging", row[2]), ("production", row[3])):
        data = named("ConfigMap", "knative-lambda-settings", overlay)["data"]
        assert _duration(said) == (_duration(data[name]) if name in data else default)


def test_every_retention_is_there():
    names = {codes(row[0])[0] for row in SCALING.rows("setting", "default", "staging")}
    kept = {
        f"KN_LAMBDA_{name.upper()}" for name in dir(CleanupSettings) if name.endswith("_retention")
    }
    assert names == kept


def test_the_embedded_platform_has_the_limits_that_it_says():
    said = {row[0]: row[1] for row in SCALING.rows_from("processes of one lambda")}
    serving, broker = ServingSettings(), BrokerSettings()
    assert numbers(said["processes of one lambda"]) == {serving.max_processes_per_service}
    assert numbers(said["idle before it is stopped"]) == {int(serving.idle_window_seconds)}
    held = numbers(said["requests held for one lambda"])
    assert held == {serving.held_requests_limit, 503}
    per_trigger = numbers(said["concurrent deliveries, per Trigger"])
    assert per_trigger == {broker.concurrency_per_trigger}
    assert numbers(said["an event"]) == {broker.body_limit_bytes // MIB}
    assert broker.events_kept_for == timedelta(days=7)
    assert numbers(said["events kept"]) == {broker.events_kept, 7}
    assert numbers(said["dead letters kept"]) == {broker.dead_letters_kept}
    assert said["a Kubernetes object"] == f"{MAX_BYTES / MIB:g} MiB"


# Overlays


def test_production_and_staging_have_kafka_brokers_and_dev_has_not():
    for overlay, objects in RENDERED.items():
        classes = {
            (item["metadata"].get("annotations") or {}).get("eventing.knative.dev/broker.class")
            for item in objects
            if item["kind"] == "Broker"
        }
        assert classes == ({None} if overlay == "dev" else {"Kafka"})
    (row,) = [row for row in SCALING.rows("", "in-memory channel") if row[0] == "overlay"]
    assert [codes(cell) for cell in row[1:]] == [["dev"], ["staging", "production"]]
