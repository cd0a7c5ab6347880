"""Every runtime's folder is complete, and so is every example."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest
import yaml

REPOSITORY = Path(__file__).parents[3]
RUNTIMES = sorted(path.parent for path in (REPOSITORY / "runtimes").glob("*/runtime.toml"))
EXAMPLES = sorted(path.parent for path in (REPOSITORY / "examples").glob("*/function.yaml"))
TEMPLATES = [runtime / "template" for runtime in RUNTIMES]


def name_of(path: Path) -> str:
    return str(path.relative_to(REPOSITORY))


@pytest.mark.parametrize("runtime", RUNTIMES, ids=name_of)
def test_a_runtime_names_files_that_are_there(runtime: Path) -> None:
    definition = tomllib.loads((runtime / "runtime.toml").read_text())
    assert definition.keys() - {"main"} == {
        "language",
        "versions",
        "entrypoint",
        "server",
        "packages",
        "default_handler",
        "recipe",
    }
    assert definition["language"] == runtime.name
    start = definition["entrypoint"][1].removeprefix("/runtime/")
    assert (runtime / definition["server"] / start).is_file()
    assert (runtime / definition["recipe"][1]).is_file()
    assert (runtime / "Dockerfile").is_file()


@pytest.mark.parametrize("folder", EXAMPLES + TEMPLATES, ids=name_of)
def test_an_example_can_be_deployed_and_invoked(folder: Path) -> None:
    function = yaml.safe_load((folder / "function.yaml").read_text())
    assert function["apiVersion"] == "knative-lambda.dev/v1alpha1"
    assert function["kind"] == "LambdaFunction"
    assert folder.name in ("template", function["metadata"]["name"])
    spec = function["spec"]
    module = spec["handler"].rpartition(".")[0]
    assert list(folder.glob(f"{module}.*"))
    languages = [runtime.name for runtime in RUNTIMES]
    assert spec["runtime"] in languages
    event = json.loads((folder / "event.json").read_text())
    assert event["specversion"] == "1.0"
    assert {"type": event["type"]} in spec["subscriptions"]
