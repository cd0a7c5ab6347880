"""Functions are built again from their records alone."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from kn_lambda.errors import ExitCode

if TYPE_CHECKING:
    from tests.embedded.helpers.embedded_platform import EmbeddedPlatform


def test_a_function_is_built_again_without_its_folder_and_stays_where_nothing_is_new(
    platform: EmbeddedPlatform, write_function, unique_name: str
):
    def run(*arguments):
        done = platform.kn_lambda(*arguments, "-o", "json")
        assert done.returncode == ExitCode.OK, done.stderr
        return json.loads(done.stdout)

    folder = write_function("def handler(event):\n    return 'same'\n")
    options = ("--name", unique_name, "--env", "KEPT=1")
    first = run("deploy", folder, *options)
    before = platform.record(unique_name)
    (folder / "main.py").unlink()

    again = run("rebuild", unique_name)
    assert (again["outcome"], again["revision"]) == ("unchanged", first["revision"])
    after = platform.record(unique_name)
    assert after["spec"] == before["spec"]
    kept, wish = "knative-lambda.dev/set-fields", "knative-lambda.dev/wish-id"
    annotations = [record["metadata"]["annotations"] for record in (before, after)]
    assert [each[kept] for each in annotations] == ["env.KEPT", "env.KEPT"]
    assert annotations[0][wish] != annotations[1][wish]
    assert json.loads(platform.kn_lambda("invoke", unique_name).stdout) == "same"
