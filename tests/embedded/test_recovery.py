"""What a lambda lacked is named at once; when it comes, everything says Ready by itself."""

from __future__ import annotations

import json
import socket
from typing import TYPE_CHECKING

import pytest

from tests.helpers.waiting import wait_for

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.embedded.helpers.embedded_platform import EmbeddedPlatform
    from tests.embedded.helpers.lanes import Lane

SAYING = "import os\n\ndef handler(event):\n    return os.environ['WORD']\n"
KEYS = {"Secret": "secretKeyRef", "ConfigMap": "configMapKeyRef"}
COLLECTIONS = {"Secret": "secrets", "ConfigMap": "configmaps"}
BROKERS = "/apis/eventing.knative.dev/v1/namespaces/default/brokers"


class Lacking:
    """A lambda whose variable WORD comes from an object of its own name."""

    def __init__(self, platform: EmbeddedPlatform, name: str, kind: str, source: Path) -> None:
        self.platform, self.name, self.kind, self.source = platform, name, kind, source
        reference = {"name": "WORD", KEYS[kind]: {"name": name, "key": "word"}}
        manifest = {
            "apiVersion": "knative-lambda.dev/v1alpha1",
            "kind": "LambdaFunction",
            "metadata": {"name": name},
            "spec": {"runtime": "python", "env": [reference]},
        }
        (source / "function.yaml").write_text(json.dumps(manifest))

    def deploy(self, code: int) -> str:
        """What a person reads; no time-out of the platform is that short."""
        done = self.platform.kn_lambda("deploy", self.source, "--timeout", "50s")
        assert done.returncode == code, done.stderr
        return done.stderr

    def put(self, **values: str) -> None:
        field = "stringData" if self.kind == "Secret" else "data"
        item = {
            "apiVersion": "v1",
            "kind": self.kind,
            "metadata": {"name": self.name, "namespace": "default"},
            field: values,
        }
        path = f"/api/v1/namespaces/default/{COLLECTIONS[self.kind]}"
        if self.platform.api("POST", path, item).status != 201:
            assert self.platform.api("PUT", f"{path}/{self.name}", item).status == 200

    def says(self) -> list[str]:
        """What was told of it, in order."""
        told = ("build.failed.v1", "function.ready.v1")
        return [type_ for type_ in self.platform.types(self.name) if type_ in told]


@pytest.fixture
def lacking(patient_platform, write_function, unique_name) -> Callable[[str], Lacking]:
    return lambda kind: Lacking(patient_platform, unique_name, kind, write_function(SAYING))


def assert_ready(platform: EmbeddedPlatform, name: str, answer: str) -> None:
    """In the record, in the list, and when it is called."""
    record = platform.await_phase(name, "Ready")
    assert {c["status"] for c in record["status"]["conditions"]} == {"True"}
    assert "reason" not in record["status"]["build"]
    (row,) = [row for row in platform.kn_lambda("list").stdout.splitlines() if name in row]
    assert "Ready" in row
    assert platform.kn_lambda("invoke", name).stdout == f'"{answer}"\n'


RECORD = "LambdaFunction"


def changes_told(platform: EmbeddedPlatform, name: str) -> list[tuple[str, str]]:
    """What an ApiServerSource said of the Service of a lambda."""
    return [
        (event["attributes"]["kind"], event["attributes"]["type"].rpartition(".")[2])
        for event in platform.await_settled()
        if event["attributes"].get("name") == name and event["attributes"]["kind"] != RECORD
    ]


def test_a_failure_costs_one_event_more_and_its_recovery_a_few(lacking):
    function = lacking("Secret")
    function.deploy(1)
    platform, name = function.platform, function.name
    assert changes_told(platform, name) == [("Service", "add")]

    function.put(word="sesame")

    platform.await_phase(name, "Ready")
    wait_for(lambda: ("Service", "delete") in changes_told(platform, name))
    told = changes_told(platform, name)
    assert len(told) <= 5, told


@pytest.mark.parametrize("kind", KEYS)
def test_what_is_missing_is_named_at_once_and_the_lambda_is_ready_once_it_is_there(
    lacking, kind: str
):
    function = lacking(kind)
    said = function.deploy(1)
    assert f"{kind} default/{function.name} does not exist" in said
    assert "will retry" not in said
    assert function.platform.phase(function.name) == "Failed"

    function.put(another="x")
    function.put(word="sesame")

    assert_ready(function.platform, function.name, "sesame")
    function.platform.await_settled()
    assert function.says() == ["build.failed.v1", "function.ready.v1"]


def test_a_missing_key_is_named_at_once_and_the_lambda_is_ready_once_it_is_there(lacking):
    function = lacking("ConfigMap")
    function.put(another="x")
    said = function.deploy(1)
    assert f"ConfigMap default/{function.name} has no key 'word'" in said

    function.put(word="sesame")

    assert_ready(function.platform, function.name, "sesame")


def test_an_update_that_lacks_something_is_ready_once_it_is_there(lacking):
    function = lacking("Secret")
    platform, name = function.platform, function.name
    manifest = (function.source / "function.yaml").read_text()
    (function.source / "function.yaml").unlink()
    (function.source / "main.py").write_text("def handler(event):\n    return 'old'\n")
    platform.deploy(function.source, "--name", name)
    (function.source / "main.py").write_text(SAYING)
    (function.source / "function.yaml").write_text(manifest)

    assert f"Secret default/{name} does not exist" in function.deploy(1)
    assert platform.kn_lambda("invoke", name).stdout == '"old"\n'
    function.put(word="new")

    assert_ready(platform, name, "new")


def test_what_failed_can_be_deleted_and_does_not_come_back(lacking):
    function = lacking("Secret")
    function.deploy(1)

    assert function.platform.kn_lambda("delete", function.name).returncode == 0
    function.put(word="sesame")

    function.platform.await_settled()
    assert function.platform.record(function.name) is None
    assert function.says() == ["build.failed.v1"]


def test_a_lambda_whose_broker_comes_late_is_ready_by_itself(start_platform, write_function):
    platform = start_platform(KN_LAMBDA_START_TIMEOUT="PT1S")
    broker = platform.api("GET", f"{BROKERS}/default").data
    platform.api("DELETE", f"{BROKERS}/default")
    wait_for(lambda: platform.api("GET", f"{BROKERS}/default").status == 404)
    platform.send_build_start(
        "listening",
        {"main.py": "def handler(event):\n    return 'hello'\n"},
        spec={"subscriptions": [{"type": "com.example.said"}]},
    )
    record = platform.await_phase("listening", "Failed")
    assert "Broker" in record["status"]["build"]["reason"]

    made = {name: broker[name] for name in ("apiVersion", "kind", "spec")}
    metadata = {"name": "default", "namespace": "default"}
    assert platform.api("POST", BROKERS, {**made, "metadata": metadata}).status == 201

    assert_ready(platform, "listening", "hello")


def test_a_deployment_that_goes_well_makes_no_event_more(
    patient_platform, unique_name: str, lane: Lane
):
    subscriptions = [{"type": "com.example.said"}]
    files = {"main.py": "def handler(event):\n    return 'hello'\n", **lane.files}
    patient_platform.send_build_start(unique_name, files, spec={"subscriptions": subscriptions})
    patient_platform.await_phase(unique_name, "Ready")
    of_it = [
        event["attributes"]["kind"]
        for event in patient_platform.await_settled()
        if unique_name in event["attributes"].get("name", "")
    ]
    # Each write of the record is told, and of nothing else but a Job.
    assert set(of_it) == ({"Job", RECORD} if lane.jobs else {RECORD})
    assert of_it.count(RECORD) <= 6


def test_what_failed_for_something_outside_is_started_again_by_deploying_it_again(
    patient_platform, write_function, unique_name: str
):
    with socket.socket() as database:
        database.bind(("127.0.0.1", 0))
        connecting = f"import socket; socket.create_connection({database.getsockname()!r})\n"
        source = write_function(f"{connecting}def handler(event):\n    pass\n")
        deploy = ("deploy", source, "--name", unique_name, "--timeout", "50s")
        failed = patient_platform.kn_lambda(*deploy)
        assert (failed.returncode, "Connection refused" in failed.stderr) == (1, True)

        database.listen()

        assert patient_platform.kn_lambda(*deploy).returncode == 0
    assert patient_platform.phase(unique_name) == "Ready"
