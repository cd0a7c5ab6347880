"""What an ApiServerSource reports of the objects that it watches."""

from __future__ import annotations

import json

import pytest

from lambda_embedded.sources.resource_events import resource_event, takes
from tests.unit.embedded.sources.helpers.source_objects import add_broker, source_object

JOBS = [{"apiVersion": "batch/v1", "kind": "Job"}]


def job(name="build", namespace="team", **labels):
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"namespace": namespace, "name": name, "labels": labels},
        "spec": {"parallelism": 1},
    }


def short(events):
    return [(event["type"].rpartition(".")[2], event["name"]) for event in events]


async def test_what_is_there_is_added_then_each_change_is_reported(sources, objects, accepted):
    add_broker(objects)
    objects.create("Job", job("old"))
    objects.create("ApiServerSource", source_object("ApiServerSource", resources=JOBS))
    await sources.start()

    await accepted.first(1)
    objects.create("Job", job("new"))
    objects.update_status("Job", "team", "new", {"succeeded": 1})
    objects.delete("Job", "team", "new")
    events = await accepted.first(4)

    assert short(events) == [("add", "old"), ("add", "new"), ("update", "new"), ("delete", "new")]
    assert len({event["id"] for event in events}) == 4


async def test_a_restart_adds_everything_again(sources, objects, accepted):
    add_broker(objects)
    objects.create("Job", job())
    objects.create("ApiServerSource", source_object("ApiServerSource", resources=JOBS))

    for _start in range(2):
        await sources.start()
        await accepted.first(_start + 1)
        await sources.stop()

    assert short(accepted.events) == [("add", "build")] * 2


async def test_only_its_own_namespace_is_watched(sources, objects, accepted):
    add_broker(objects)
    objects.create("ApiServerSource", source_object("ApiServerSource", resources=JOBS))
    await sources.start()

    objects.create("Job", job("far", "other"))
    objects.create("Job", job("near"))

    assert short(await accepted.first(1)) == [("add", "near")]


async def test_a_namespace_selector_widens_what_is_watched(sources, objects, accepted):
    add_broker(objects)
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "builds"}}
    objects.create("Namespace", {**namespace, "metadata": {"name": "builds", "labels": {"a": "b"}}})
    selector = {"matchLabels": {"a": "b"}}
    objects.create(
        "ApiServerSource",
        source_object("ApiServerSource", resources=JOBS, namespaceSelector=selector),
    )
    await sources.start()

    objects.create("Job", job("team", "team"))
    objects.create("Job", job("builds", "builds"))

    assert short(await accepted.first(1)) == [("add", "builds")]


def namespace_object(name, **labels):
    return {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {"name": name, "labels": labels},
    }


async def test_a_namespace_that_is_chosen_later_is_watched_from_then_on(sources, objects, accepted):
    add_broker(objects)
    resources = [{**JOBS[0], "selector": {"matchLabels": {"app": "x"}}}]
    selector = {"matchLabels": {"tenant": "true"}}
    source = source_object("ApiServerSource", resources=resources, namespaceSelector=selector)
    objects.create("ApiServerSource", source)
    await sources.start()

    objects.create("Namespace", namespace_object("new", tenant="true"))
    objects.create("Job", job("in-a-new-one", "new", app="x"))
    objects.create("Job", job("in-an-old-one", "old", app="x"))
    objects.create("Job", job("another", "old", app="y"))
    old = objects.create("Namespace", namespace_object("old"))
    assert short(await accepted.first(1)) == [("add", "in-a-new-one")]

    old["metadata"]["labels"] = {"tenant": "true"}
    old = objects.update("Namespace", old)
    assert short(await accepted.first(2))[1:] == [("add", "in-an-old-one")]

    old["metadata"]["labels"] = {"tenant": "true", "of-no": "interest"}
    old = objects.update("Namespace", old)
    old["metadata"]["labels"] = {}
    objects.update("Namespace", old)
    assert short(await accepted.first(3))[2:] == [("delete", "in-an-old-one")]


async def test_an_object_that_two_resources_of_a_source_choose_is_added_once(
    sources, objects, accepted
):
    add_broker(objects)
    objects.create("Job", job("both", app="x", tier="y"))
    labels = ({"app": "x"}, {"tier": "y"})
    resources = [{**JOBS[0], "selector": {"matchLabels": each}} for each in labels]
    objects.create("ApiServerSource", source_object("ApiServerSource", resources=resources))
    await sources.start()
    objects.delete("Job", "team", "both")

    assert short(await accepted.first(2)) == [("add", "both"), ("delete", "both")]


async def test_an_object_that_loses_its_label_is_deleted_for_the_source(sources, objects, accepted):
    add_broker(objects)
    resources = [{**JOBS[0], "selector": {"matchLabels": {"app": "x"}}}]
    objects.create("ApiServerSource", source_object("ApiServerSource", resources=resources))
    await sources.start()

    made = objects.create("Job", job(app="x"))
    made["metadata"]["labels"] = {}
    made = objects.update("Job", made)
    made["metadata"]["labels"] = {"app": "x"}
    objects.update("Job", made)

    assert short(await accepted.first(3)) == [
        ("add", "build"),
        ("delete", "build"),
        ("add", "build"),
    ]


async def test_a_source_waits_for_its_broker(sources, objects, accepted):
    objects.create("Job", job())
    objects.create("ApiServerSource", source_object("ApiServerSource", resources=JOBS))
    await sources.start()
    before = objects.get("ApiServerSource", "team", "source")["status"]

    add_broker(objects)
    events = await accepted.first(1)
    after = objects.get("ApiServerSource", "team", "source")["status"]

    assert short(events) == [("add", "build")]
    assert ready(before)["status"] == "False"
    assert ready(before)["reason"] == "NotFound"
    assert ready(after)["status"] == "True"
    assert after["sinkUri"] == "http://127.0.0.1:1/team/default"


async def test_a_source_that_cannot_work_says_why(sources, objects):
    add_broker(objects)
    objects.create("ApiServerSource", source_object("ApiServerSource", resources=[{}]))
    await sources.start()

    status = objects.get("ApiServerSource", "team", "source")["status"]

    assert ready(status)["reason"] == "InvalidSpec"


async def test_a_deleted_source_reports_nothing_more(sources, objects, accepted):
    add_broker(objects)
    for name in ("first", "second"):
        objects.create("ApiServerSource", source_object("ApiServerSource", name, resources=JOBS))
    await sources.start()

    objects.delete("ApiServerSource", "team", "first")
    objects.create("Job", job("a"))
    objects.create("Job", job("b"))

    assert short(await accepted.first(2)) == [("add", "a"), ("add", "b")]


def ready(status):
    return next(item for item in status["conditions"] if item["type"] == "Ready")


def test_a_resource_event_reads_as_on_knative():
    item = job()

    event = resource_event(
        {"mode": "Resource", "ceOverrides": {"extensions": {"tenant": "a"}}},
        "update",
        "Job",
        item,
        source="https://api",
    )

    attributes = dict(event.attributes)
    assert attributes.pop("id")
    assert attributes == {
        "specversion": "1.0",
        "type": "dev.knative.apiserver.resource.update",
        "source": "https://api",
        "subject": "/apis/batch/v1/namespaces/team/jobs/build",
        "datacontenttype": "application/json",
        "apiversion": "batch/v1",
        "kind": "Job",
        "name": "build",
        "namespace": "team",
        "tenant": "a",
    }
    assert json.loads(event.data) == item


def test_reference_mode_names_the_object_only():
    event = resource_event({}, "add", "Job", job(), source="https://api")

    assert event.attributes["type"] == "dev.knative.apiserver.ref.add"
    assert json.loads(event.data) == {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "name": "build",
        "namespace": "team",
    }


@pytest.mark.parametrize(
    ("owner", "expected"),
    [
        (None, True),
        ({"kind": "LambdaFunction"}, True),
        ({"apiVersion": "x/v1", "kind": "LambdaFunction"}, True),
        ({"apiVersion": "y/v1", "kind": "LambdaFunction"}, False),
        ({"kind": "CronJob"}, False),
    ],
)
def test_an_owner_narrows_what_is_taken(owner, expected):
    item = job()
    item["metadata"]["ownerReferences"] = [
        {"apiVersion": "x/v1", "kind": "LambdaFunction", "controller": True}
    ]

    assert takes({"resources": JOBS, "owner": owner}, "Job", item) is expected
