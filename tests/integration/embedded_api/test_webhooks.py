"""What Knative's webhooks reject on a cluster, the embedded API rejects in their words."""

from __future__ import annotations

import uuid

import pytest

from tests.helpers.raw_api import APPLY, MERGE, RawApi

SERVICES = "serving.knative.dev/services"
BROKERS = "eventing.knative.dev/brokers"
TRIGGERS = "eventing.knative.dev/triggers"
IMAGE = {"image": "registry.example/hello"}
CONTAINER = "spec.template.spec.containers[0]"
REFERENCE = {"ref": {"apiVersion": "serving.knative.dev/v1", "kind": "Service", "name": "hello"}}
TRIGGER = {"broker": "default", "subscriber": {"uri": "http://hello.example/"}}


@pytest.fixture(scope="module")
def api(running_api):
    api = RawApi(running_api.kubeconfig, f"webhooks-{uuid.uuid4().hex[:10]}")
    api.send_to("POST", "/api/v1/namespaces", {"metadata": {"name": api.namespace}})
    return api


def knative(kind, spec, name="hello", **metadata):
    group = "serving" if kind == "Service" else "eventing"
    return {
        "apiVersion": f"{group}.knative.dev/v1",
        "kind": kind,
        "metadata": {"name": name, **metadata},
        "spec": spec,
    }


def service(container=IMAGE, annotations=None, **spec):
    template = {"metadata": {"annotations": annotations or {}}}
    return {"template": {**template, "spec": {"containers": [container], **spec}}}


def resources(requests, limits):
    return service(IMAGE | {"resources": {"requests": requests, "limits": limits}})


def denied(response):
    """The fields of a denial, with its text."""
    assert (response.code, response.body["reason"]) == (400, "BadRequest"), response
    assert "denied the request: validation failed: " in response.body["message"]
    return {field for field, _, _ in response.faults}


SERVICE_FAULTS = {
    "no image": (service({"name": "a"}), f"{CONTAINER}.image"),
    "no containers": (service(containers=[]), "spec.template.spec.containers"),
    "two containers": (service(containers=[IMAGE, IMAGE]), "spec.template.spec.containers"),
    "a reserved container": (service(IMAGE | {"name": "queue-proxy"}), f"{CONTAINER}.name"),
    "a request above its limit": (
        resources({"cpu": "2"}, {"cpu": "1500m"}), f"{CONTAINER}.resources.requests[cpu]"),
    "a request above its limit in other units": (
        resources({"memory": "1Gi"}, {"memory": "1e9"}),
        f"{CONTAINER}.resources.requests[memory]"),
    "a request above its limit as a number": (
        resources({"cpu": 2}, {"cpu": 1}), f"{CONTAINER}.resources.requests[cpu]"),
    "a negative limit": (resources({}, {"cpu": "-1"}), f"{CONTAINER}.resources.limits[cpu]"),
    "too much concurrency": (
        service(containerConcurrency=1001), "spec.template.spec.containerConcurrency"),
    "less than no concurrency": (
        service(containerConcurrency=-1), "spec.template.spec.containerConcurrency"),
    "too much time": (service(timeoutSeconds=601), "spec.template.spec.timeoutSeconds"),
    "less than no time": (service(timeoutSeconds=-1), "spec.template.spec.timeoutSeconds"),
    "a variable of Knative": (
        service(IMAGE | {"env": [{"name": "K_SERVICE", "value": "a"}]}),
        f"{CONTAINER}.env[0].name"),
    "two ports": (
        service(IMAGE | {"ports": [{"containerPort": 80}, {"containerPort": 81}]}),
        f"{CONTAINER}.ports"),
    "a port of Knative": (
        service(IMAGE | {"ports": [{"containerPort": 8012}]}),
        f"{CONTAINER}.ports[0].containerPort"),
    "a port that cannot be": (
        service(IMAGE | {"ports": [{"containerPort": 65536}]}),
        f"{CONTAINER}.ports[0].containerPort"),
    "a protocol that is unknown": (
        service(IMAGE | {"ports": [{"containerPort": 80, "name": "http3"}]}),
        f"{CONTAINER}.ports[0].name"),
    "a mount of nothing": (
        service(IMAGE | {"volumeMounts": [{"name": "a", "mountPath": "/a"}]}),
        f"{CONTAINER}.volumeMounts[0].name"),
    "a volume that is not mounted": (
        service(volumes=[{"name": "a", "emptyDir": {}}]), "spec.template.spec.volumes[0].name"),
    "a scale that is no number": (
        service(annotations={"autoscaling.knative.dev/min-scale": "many"}),
        "spec.template.metadata.annotations[autoscaling.knative.dev/min-scale]"),
    "a scale that is negative": (
        service(annotations={"autoscaling.knative.dev/max-scale": "-1"}),
        "spec.template.metadata.annotations[autoscaling.knative.dev/max-scale]"),
}  # fmt: skip


@pytest.mark.parametrize("name", SERVICE_FAULTS)
def test_a_service_that_knative_rejects_is_rejected(api, name):
    spec, field = SERVICE_FAULTS[name]
    assert denied(api.send("POST", SERVICES, knative("Service", spec))) == {field}


def test_a_scale_belongs_to_the_template(api):
    annotations = {"autoscaling.knative.dev/min-scale": "1"}
    response = api.send("POST", SERVICES, knative("Service", service(), annotations=annotations))
    assert denied(response) == {"metadata.annotations"}
    assert 'put under "spec.template.metadata.annotations"' in response.body["message"]


def test_a_service_is_rejected_in_the_words_of_knative(api):
    response = api.send("POST", SERVICES, knative("Service", service(timeoutSeconds=601)))
    assert response.body["message"] == (
        'admission webhook "validation.webhook.serving.knative.dev" denied the request: '
        "validation failed: expected 0 <= 601 <= 600: spec.template.spec.timeoutSeconds"
    )


RIGHT_SERVICES = {
    "as little as can be": service(),
    "as much as can be": service(containerConcurrency=1000, timeoutSeconds=600),
    "without limits of either": service(containerConcurrency=0, timeoutSeconds=0),
    "requests that are the limits": resources({"cpu": "1"}, {"cpu": "1000m"}),
    "a request without a limit": resources({"cpu": "100"}, {"memory": "1Gi"}),
    "a volume": service(
        IMAGE | {"volumeMounts": [{"name": "a", "mountPath": "/a"}]},
        volumes=[{"name": "a", "emptyDir": {}}],
    ),
    "a scale": service(annotations={"autoscaling.knative.dev/target": "0.5"}),
}


@pytest.mark.parametrize("name", RIGHT_SERVICES)
def test_a_service_that_knative_takes_is_taken(api, name):
    item = knative("Service", RIGHT_SERVICES[name])
    assert api.send("POST", f"{SERVICES}?dryRun=All", item).code == 201


def test_an_update_a_patch_and_an_apply_are_reviewed_too(api):
    made = api.send("POST", SERVICES, knative("Service", service(), "updated")).body
    path, wrong = f"{SERVICES}/updated", service(timeoutSeconds=601)
    field = {"spec.template.spec.timeoutSeconds"}
    assert denied(api.send("PUT", path, made | {"spec": wrong})) == field
    assert denied(api.send("PATCH", path, {"spec": wrong}, MERGE)) == field
    applied = api.send(
        "PATCH", f"{path}?fieldManager=a&force=true", knative("Service", wrong, "updated"), APPLY
    )
    assert denied(applied) == field


TRIGGER_FAULTS = {
    "a misspelt filter": (TRIGGER | {"filtre": {"attributes": {"type": "a"}}}, "spec.filtre"),
    "no Broker": ({"subscriber": TRIGGER["subscriber"]}, "spec.broker"),
    "no subscriber": ({"broker": "default"}, "spec.subscriber.ref, spec.subscriber.uri"),
    "an empty subscriber": (
        TRIGGER | {"subscriber": {}}, "spec.subscriber.ref, spec.subscriber.uri"),
    "a relative subscriber": (TRIGGER | {"subscriber": {"uri": "/a"}}, "spec.subscriber.uri"),
    "a subscriber that is no URL": (
        TRIGGER | {"subscriber": {"uri": "http://[bad"}}, "spec.subscriber.uri"),
    "a subscriber without a name": (
        TRIGGER | {"subscriber": {"ref": {"apiVersion": "v1", "kind": "Service"}}},
        "spec.subscriber.ref.name"),
    "a subscriber twice": (
        TRIGGER | {"subscriber": REFERENCE | {"uri": "http://a.example"}},
        "spec.subscriber.ref, spec.subscriber.uri"),
    "an attribute that cannot be": (
        TRIGGER | {"filter": {"attributes": {"Type": "a"}}}, "spec.filter.attributes"),
    "two dialects": (
        TRIGGER | {"filters": [{"exact": {"type": "a"}, "prefix": {"type": "b"}}]},
        "spec.filters[0]"),
    "a delivery that cannot be": (
        TRIGGER | {"delivery": {"backoffDelay": "soon"}}, "spec.delivery.backoffDelay"),
    "a policy that is unknown": (
        TRIGGER | {"delivery": {"backoffPolicy": "quadratic"}}, "spec.delivery.backoffPolicy"),
    "a misspelt delivery": (TRIGGER | {"delivery": {"retries": 3}}, "spec.delivery.retries"),
    "a dead letter sink of nothing": (
        TRIGGER | {"delivery": {"deadLetterSink": {}}},
        "spec.delivery.deadLetterSink.ref, spec.delivery.deadLetterSink.uri"),
}  # fmt: skip


@pytest.mark.parametrize("name", TRIGGER_FAULTS)
def test_a_trigger_that_knative_rejects_is_rejected(api, name):
    spec, field = TRIGGER_FAULTS[name]
    assert denied(api.send("POST", TRIGGERS, knative("Trigger", spec))) == {field}


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"subscriber": REFERENCE},
        {"subscriber": {**REFERENCE, "uri": "/path"}},
        {"delivery": {"retry": 1, "timeout": "PT1S", "retryAfterMax": "PT2S"}},
        {"filters": [{"any": [{"exact": {"type": "a"}}, {"not": {"suffix": {"source": "b"}}}]}]},
    ],
)
def test_a_trigger_that_knative_takes_is_taken(api, fields):
    response = api.send("POST", f"{TRIGGERS}?dryRun=All", knative("Trigger", TRIGGER | fields))
    assert response.code == 201, response.body["message"]


def test_a_trigger_without_a_filter_says_that_it_takes_every_event(api):
    response = api.send("POST", f"{TRIGGERS}?dryRun=All", knative("Trigger", TRIGGER))
    assert response.body["spec"]["filter"] == {}


def test_the_broker_of_a_trigger_stays(api):
    api.send("POST", TRIGGERS, knative("Trigger", TRIGGER, "staying"))
    response = api.send("PATCH", f"{TRIGGERS}/staying", {"spec": {"broker": "other"}}, MERGE)
    assert response.code == 422
    assert {field for field, _, _ in response.faults} == {"spec.broker"}


def test_nothing_of_a_broker_but_its_delivery_can_change(api):
    api.send("POST", BROKERS, knative("Broker", {"delivery": {"retry": 1}}))
    more = {"spec": {"delivery": {"retry": 2}}}
    assert api.send("PATCH", f"{BROKERS}/hello", more, MERGE).code == 200
    config = {"spec": {"config": {"apiVersion": "v1", "kind": "ConfigMap", "name": "a"}}}
    assert denied(api.send("PATCH", f"{BROKERS}/hello", config, MERGE)) == {"spec"}


@pytest.mark.parametrize(
    ("delivery", "field"),
    [
        ({"retry": -1}, "spec.delivery.retry"),
        ({"timeout": "5s"}, "spec.delivery.timeout"),
        ({"timeoutt": "PT5S"}, "spec.delivery.timeoutt"),
    ],
)
def test_a_broker_that_knative_rejects_is_rejected(api, delivery, field):
    item = knative("Broker", {"delivery": delivery}, name="wrong")
    assert denied(api.send("POST", BROKERS, item)) == {field}
