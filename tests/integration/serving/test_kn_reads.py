"""What `kn service` and `kn revision` read of the objects (kn itself is not available in tests)."""

from __future__ import annotations

from datetime import datetime

IMAGE = "registry.embedded/team/hello@sha256:" + "a" * 64


def _conditions_of(item):
    """Return conditions by type; each must have what kn prints of one."""
    found = {}
    for condition in item["status"]["conditions"]:
        assert condition["status"] in {"True", "False", "Unknown"}
        assert datetime.fromisoformat(condition["lastTransitionTime"]).tzinfo
        if condition["status"] == "False":
            assert condition["reason"]
        found[condition["type"]] = condition
    return found


def _revisions(platform):
    found = platform.objects.list(
        "Revision", "team", labels={"serving.knative.dev/service": "hello"}
    )
    # `kn revision list` sorts them by this label, and `kn service describe` fails without it.
    label = "serving.knative.dev/configurationGeneration"
    return sorted(found, key=lambda item: -int(item["metadata"]["labels"][label]))


async def test_kn_service_list_and_describe(platform):
    platform.apply(image=IMAGE)
    status = await platform.ready()
    service = platform.objects.get("Service", "team", "hello")
    assert {"Ready", "RoutesReady", "ConfigurationsReady"} <= _conditions_of(service).keys()
    assert status["url"] == status["address"]["url"]
    assert status["latestCreatedRevisionName"] == status["latestReadyRevisionName"]
    (target,) = status["traffic"]
    # Without revisionName kn asks for a Configuration, which there is not here.
    assert target == {"latestRevision": True, "percent": 100, "revisionName": "hello-00001"}
    assert platform.objects.find("Revision", "team", target["revisionName"])


async def test_kn_revision_list_and_describe(platform):
    platform.apply(image=IMAGE, environment={"VERSION": "1"})
    await platform.ready()
    platform.apply(image=IMAGE, environment={"VERSION": "2"})
    await platform.ready()
    newest, *_ = revisions = _revisions(platform)
    generations = [
        item["metadata"]["labels"]["serving.knative.dev/configurationGeneration"]
        for item in revisions
    ]
    assert generations in (["2", "1"], ["2"])
    # kn writes its own annotations into this map before it prints.
    assert isinstance(newest["metadata"]["annotations"], dict)
    assert newest["metadata"]["labels"]["serving.knative.dev/configuration"] == "hello"
    assert _conditions_of(newest)["Ready"]["status"] == "True"
    assert newest["status"]["containerStatuses"] == [
        {"name": "user-container", "imageDigest": IMAGE}
    ]
    assert newest["spec"]["containerConcurrency"] == 10
    assert {"name": "VERSION", "value": "2"} in newest["spec"]["containers"][0]["env"]


async def test_kn_tells_why_a_revision_is_not_ready(platform):
    platform.apply(environment={"FAIL": "no such module"})
    await platform.ready(status="False")
    (revision,) = _revisions(platform)
    ready = _conditions_of(revision)["Ready"]
    assert (ready["status"], ready["reason"]) == ("False", "Failed")
    assert ready["message"]
