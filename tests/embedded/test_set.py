"""Variables and settings of a function that runs change without its source, and stay."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from kn_lambda.errors import ExitCode
from tests.helpers.waiting import wait_for

if TYPE_CHECKING:
    from tests.embedded.helpers.embedded_platform import EmbeddedPlatform

SHOWING = """
import os

def handler(event):
    return {name: os.environ.get(name) for name in ("OWN", "SET", "TOKEN")}
"""
SECRET = "hunter2-of-set"


def put_manifest(folder, name, **variables):
    spec = {"runtime": "python", "env": [{"name": n, "value": v} for n, v in variables.items()]}
    document = {
        "apiVersion": "knative-lambda.dev/v1alpha1",
        "kind": "LambdaFunction",
        "metadata": {"name": name},
        "spec": spec,
    }
    (folder / "function.yaml").write_text(json.dumps(document))


def test_what_options_set_stays_over_deployments_until_it_is_unset(
    platform: EmbeddedPlatform, write_function, unique_name: str, tmp_path
):
    def run(*arguments):
        done = platform.kn_lambda(*arguments, "-o", "json")
        assert done.returncode == ExitCode.OK, done.stderr
        return json.loads(done.stdout)

    def shown():
        return json.loads(platform.kn_lambda("invoke", unique_name).stdout)

    folder = write_function(SHOWING)
    put_manifest(folder, unique_name, OWN="file", SET="file")
    first = run("deploy", folder)
    put_secret(platform, unique_name)

    variables = tmp_path / "some.env"
    variables.write_text("SET='of an option'\n")
    reference = f"TOKEN=secret:{unique_name}:token"
    options = ("--env-file", variables, "--env-value-from", reference, "--scale-max", "3")
    changed = run("set", unique_name, *options)
    assert changed["changes"]["env"] == {"added": ["TOKEN"], "changed": ["SET"], "removed": []}
    assert changed["image"] == first["image"]
    assert shown() == {"OWN": "file", "SET": "of an option", "TOKEN": SECRET}
    assert run("set", unique_name, *options)["outcome"] == "unchanged"

    put_manifest(folder, unique_name, OWN="of a new file", SET="of a new file")
    again = run("deploy", folder, "--unset", "TOKEN")
    assert again["changes"]["setFields"] == ["env.SET", "scale.max"]
    assert again["changes"]["hidden"] == ["env.SET"]
    assert shown() == {"OWN": "of a new file", "SET": "of an option", "TOKEN": None}

    run("deploy", folder, "--unset", "SET", "--unset", "scale-max")
    assert shown()["SET"] == "of a new file"
    assert run("describe", unique_name)["spec"]["scale"]["max"] == 50


def put_secret(platform: EmbeddedPlatform, name: str) -> None:
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": name, "namespace": "default"},
        "stringData": {"token": SECRET},
    }
    assert platform.api("POST", "/api/v1/namespaces/default/secrets", secret).status == 201


def test_a_request_that_replaces_one_that_is_not_the_newest_is_superseded(
    platform: EmbeddedPlatform, unique_name: str
):
    platform.send_build_start(unique_name, {"main.py": SHOWING})
    platform.await_phase(unique_name, "Ready")

    other = {"main.py": "def handler(event): ..."}
    platform.send_build_start(unique_name, other, spec={"replaces": "a request of long ago"})

    wait_for(lambda: "build.superseded.v1" in platform.types(unique_name))
    assert platform.record(unique_name)["spec"]["source"]["inline"] == {"main.py": SHOWING}
