"""A LambdaFunction that somebody applies is a lambda; without one, there is none."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.embedded.helpers.embedded_platform import LAMBDAS
from tests.helpers.http_client import request
from tests.helpers.waiting import wait_for

if TYPE_CHECKING:
    from tests.embedded.helpers.embedded_platform import EmbeddedPlatform


def record(platform: EmbeddedPlatform, name: str, text: str, **spec: Any) -> dict[str, Any]:
    files = {"main.py": f"def handler(request):\n    return {text!r}\n"}
    wanted = {"runtime": platform.runtime, "signature": "http", "source": {"inline": files}}
    return {
        "apiVersion": "knative-lambda.dev/v1alpha1",
        "kind": "LambdaFunction",
        "metadata": {"name": name, "namespace": "default"},
        "spec": wanted | spec,
    }


def create(platform: EmbeddedPlatform, item: dict[str, Any]) -> None:
    answer = platform.api("POST", LAMBDAS, item)
    assert answer.status == 201, answer


def change(platform: EmbeddedPlatform, name: str, spec: dict[str, Any], **annotations: str) -> None:
    """Write a spec and annotations over what is there, until nobody writes in between."""

    def written() -> bool:
        item = platform.record(name)
        assert item is not None
        item["spec"] = spec
        item["metadata"]["annotations"] = item["metadata"].get("annotations", {}) | annotations
        answer = platform.api("PUT", f"{LAMBDAS}/{name}", item)
        assert answer.status in {200, 409}, answer
        return answer.status == 200

    wait_for(written)


def status(platform: EmbeddedPlatform, name: str) -> dict[str, Any]:
    return (platform.record(name) or {}).get("status") or {}


def served(platform: EmbeddedPlatform, name: str) -> str:
    return request("GET", platform.url(name)).body.decode()


def ready_at(platform: EmbeddedPlatform, name: str, generation: int) -> None:
    platform.await_phase(name, "Ready")
    wait_for(
        lambda: (
            status(platform, name).get("observedGeneration") == generation
            and status(platform, name)["phase"] == "Ready"
        )
    )


def test_it_is_built_changed_and_removed_by_its_record_alone(
    platform: EmbeddedPlatform, unique_name: str
):
    create(platform, record(platform, unique_name, "one"))
    ready_at(platform, unique_name, 1)
    assert served(platform, unique_name) == "one"

    change(platform, unique_name, record(platform, unique_name, "two")["spec"])
    ready_at(platform, unique_name, 2)
    assert served(platform, unique_name) == "two"
    taken_up = status(platform, unique_name)["observedRequest"]

    again = {"knative-lambda.dev/redeploy": "1"}
    change(platform, unique_name, record(platform, unique_name, "two")["spec"], **again)
    wait_for(lambda: status(platform, unique_name)["observedRequest"] != taken_up)
    ready_at(platform, unique_name, 2)

    assert platform.api("DELETE", f"{LAMBDAS}/{unique_name}").status == 200
    wait_for(lambda: f"default/{unique_name}" in removed(platform))
    assert request("GET", platform.url(unique_name)).status == 404


def removed(platform: EmbeddedPlatform) -> set[str]:
    type_ = "dev.knative-lambda.function.deleted.v1"
    return {each["attributes"]["subject"] for each in platform.events(type=type_)}


def test_its_events_after_the_first_change_nothing(platform: EmbeddedPlatform, unique_name: str):
    create(platform, record(platform, unique_name, "once"))
    ready_at(platform, unique_name, 1)
    platform.await_settled()
    about = [each for each in platform.events() if each["attributes"].get("name") == unique_name]
    about = [each for each in about if each["attributes"].get("kind") == "LambdaFunction"]
    # Itself, and the writes of its status: that it builds, and that it is ready.
    assert 2 <= len(about) <= 5, json.dumps(about)
    version = (platform.record(unique_name) or {})["metadata"]["resourceVersion"]
    change(platform, unique_name, (platform.record(unique_name) or {})["spec"], note="a")
    platform.await_settled()
    item = platform.record(unique_name) or {}
    assert item["metadata"]["resourceVersion"] != version
    assert item["metadata"]["generation"] == 1
    revision = item["status"]["revision"]
    assert revision.endswith("-00001")


@pytest.mark.parametrize(
    ("spec", "reason"),
    [
        ({"runtime": "cobol1"}, "UnsupportedRuntime"),
        ({"source": {"uri": "s3://somewhere/else/a.zip"}}, "UnsupportedSource"),
    ],
)
def test_what_can_never_work_is_told_in_its_conditions(
    platform: EmbeddedPlatform, unique_name: str, spec: dict[str, Any], reason: str
):
    create(platform, record(platform, unique_name, "never", **spec))
    platform.await_phase(unique_name, "Failed")
    conditions = {each["type"]: each for each in status(platform, unique_name)["conditions"]}
    for type_, value in (("Ready", "False"), ("Stalled", "True")):
        assert (conditions[type_]["status"], conditions[type_]["reason"]) == (value, reason)
    shown = platform.kn_lambda("describe", unique_name)
    assert reason in shown.stdout

    change(platform, unique_name, record(platform, unique_name, "mended")["spec"])
    ready_at(platform, unique_name, 2)
    assert served(platform, unique_name) == "mended"


def test_one_that_is_removed_and_applied_again_at_once_serves(
    platform: EmbeddedPlatform, unique_name: str
):
    create(platform, record(platform, unique_name, "before"))
    ready_at(platform, unique_name, 1)
    for text in ("between", "after"):
        assert platform.api("DELETE", f"{LAMBDAS}/{unique_name}").status == 200
        create(platform, record(platform, unique_name, text))
    ready_at(platform, unique_name, 1)
    wait_for(lambda: served(platform, unique_name) == "after")
    platform.await_settled()
    assert platform.phase(unique_name) == "Ready"
    assert served(platform, unique_name) == "after"


def test_an_event_and_a_change_by_hand_follow_each_other(
    platform: EmbeddedPlatform, unique_name: str, write_function
):
    folder = write_function("def handler(event):\n    return 'by event'\n")
    platform.deploy(folder, "--name", unique_name)
    change(platform, unique_name, record(platform, unique_name, "by hand")["spec"])
    ready_at(platform, unique_name, 2)
    assert served(platform, unique_name) == "by hand"
    done = platform.deploy(folder, "--name", unique_name)
    assert done["outcome"] in {"ready", "deployed"}, done
    assert (platform.record(unique_name) or {})["spec"]["signature"] == "cloudevent"
