import re
from datetime import timedelta
from typing import get_type_hints

import pytest

from knative_lambda.settings import (
    _LONGEST_HOLD,
)
from tests.helpers.dev_overlay import OBJECTS, REPOSITORY
from tests.unit.config.helpers.settings_classes import SETTINGS

FUNCTIONS = sorted(path.parent.name for path in (REPOSITORY / "functions").glob("*/main.py"))
TRIGGERS = [item for item in OBJECTS if item["kind"] == "Trigger"]
BROKERS = [item for item in OBJECTS if item["kind"] == "Broker"]


def identity(item):
    return f"{item['metadata']['namespace']}/{item['metadata']['name']}"


def types_of(filters):
    """Every event type that a part of a filter asks for."""
    if isinstance(filters, list):
        return {found for part in filters for found in types_of(part)}
    if not isinstance(filters, dict):
        return set()
    own = {filters["type"]} if isinstance(filters.get("type"), str) else set()
    return own | {found for part in filters.values() for found in types_of(part)}


def delivery_of(item, brokers):
    own = item["spec"].get("delivery")
    if own or item["kind"] == "Broker":
        return own
    name = f"{item['metadata']['namespace']}/{item['spec']['broker']}"
    (broker,) = [broker for broker in brokers if identity(broker) == name]
    return broker["spec"]["delivery"]


@pytest.mark.parametrize("trigger", TRIGGERS, ids=identity)
def test_a_trigger_sends_a_function_only_what_it_takes(trigger, function):
    wanted = types_of([trigger["spec"].get("filter"), trigger["spec"].get("filters")])
    taken = function(trigger["spec"]["subscriber"]["ref"]["name"]).endpoint.handlers()
    assert wanted
    assert wanted <= taken.keys()


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_function_has_a_service_and_is_sent_something(name, objects):
    services = {item["metadata"]["name"] for item in objects("Service")}
    subscribers = {item["spec"]["subscriber"]["ref"]["name"] for item in TRIGGERS}
    sinks = {item["spec"]["delivery"]["deadLetterSink"]["ref"]["name"] for item in BROKERS}
    # People call it.
    called = {"api"}
    assert name in services & (subscribers | sinks | called)


@pytest.mark.parametrize("item", BROKERS + TRIGGERS, ids=lambda i: f"{i['kind']} {identity(i)}")
def test_what_cannot_be_delivered_is_kept(item, objects):
    assert delivery_of(item, objects("Broker"))["deadLetterSink"]


@pytest.mark.parametrize("item", BROKERS + TRIGGERS, ids=lambda i: f"{i['kind']} {identity(i)}")
def test_a_delivery_is_tried_ten_times_over_a_quarter_of_an_hour(item, objects):
    delivery = delivery_of(item, objects("Broker"))
    first = timedelta(seconds=float(re.fullmatch(r"PT([0-9.]+)S", delivery["backoffDelay"])[1]))
    assert delivery["backoffPolicy"] == "exponential"
    waits = [first * 2**attempt for attempt in range(delivery["retry"])]
    assert len(waits) >= 10
    assert sum(waits, timedelta()) >= timedelta(minutes=15)


def test_every_key_of_the_config_map_is_a_setting(config_map):
    names = {f"KN_LAMBDA_{name.upper()}" for cls in SETTINGS for name in get_type_hints(cls)}
    assert config_map.keys() <= names


@pytest.mark.parametrize("cls", SETTINGS)
def test_every_function_starts_with_what_the_config_map_says(cls, config_map, monkeypatch):
    for name, value in config_map.items():
        monkeypatch.setenv(name, value)
    cls()


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_service_is_what_func_yaml_says(name, objects):
    (service,) = [item for item in objects("Service") if item["metadata"]["name"] == name]
    spec = service["spec"]["template"]["spec"]
    assert spec["serviceAccountName"] == name
    (container,) = spec["containers"]
    assert {"configMapRef": {"name": "knative-lambda-settings"}} in container["envFrom"]
    storage = {"name": "knative-lambda-storage", "optional": True}
    assert {"secretRef": storage} in container["envFrom"]
    threads = {v["value"] for v in container.get("env", ()) if v["name"] == "THREADS"}
    # An ASGI server has no such threads.
    assert threads == ({str(spec["containerConcurrency"])} if name != "api" else set())


def test_a_held_delivery_ends_before_anybody_gives_it_up(objects):
    (service,) = [i for i in objects("Service") if i["metadata"]["name"] == "build-complete"]
    lives = timedelta(seconds=service["spec"]["template"]["spec"]["timeoutSeconds"])
    (broker,) = [i for i in BROKERS if i["metadata"]["name"] == "knative-lambda"]
    patience = re.fullmatch(r"PT(\d+)S", broker["spec"]["delivery"]["timeout"])[1]
    cold_start = timedelta(seconds=20)
    assert _LONGEST_HOLD + cold_start <= lives < timedelta(seconds=int(patience))


@pytest.mark.parametrize(("policies", "watches"), [("true", False), ("false", True)])
def test_somebody_looks_at_sizes_where_the_storage_cannot(policies, watches, function, monkeypatch):
    monkeypatch.setenv("KN_LAMBDA_S3_POST_POLICY", policies)
    assert function("build-complete").complete_build().watches_size is watches


def test_as_many_deliveries_are_taken_as_can_be_held(objects):
    (service,) = [i for i in objects("Service") if i["metadata"]["name"] == "build-complete"]
    template = service["spec"]["template"]
    instances = int(template["metadata"]["annotations"]["autoscaling.knative.dev/max-scale"])
    (quota,) = [i for i in objects("ResourceQuota") if i["metadata"]["name"] == "builds"]
    pods = int(quota["spec"]["hard"]["pods"])
    assert pods < instances * template["spec"]["containerConcurrency"]
