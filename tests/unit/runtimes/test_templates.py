"""The templates of every language are complete, and deploy nothing but the function."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import yaml

from kn_lambda.deploying.source_files import read_source
from lambda_builder.runtime_file import read_language

RUNTIMES = Path(__file__).parents[3] / "runtimes"
LANGUAGES = sorted(file.parent for file in RUNTIMES.glob("*/runtime.toml"))
TEMPLATES = sorted(folder for folder in RUNTIMES.glob("*/templates/*/"))
KINDS = ("cron", "event", "http")
PING = "dev.knative.sources.ping"


def name_of(path: Path) -> str:
    return path.relative_to(RUNTIMES).as_posix()


@pytest.fixture(params=TEMPLATES, ids=name_of)
def template(request: pytest.FixtureRequest) -> Path:
    return request.param


def spec_of(template: Path) -> dict[str, object]:
    function = yaml.safe_load((template / "function.yaml").read_text())
    assert function["metadata"] == {"name": "my-function"}
    return function["spec"]


@pytest.mark.parametrize("language", LANGUAGES, ids=name_of)
def test_a_language_has_each_template(language: Path) -> None:
    assert tuple(sorted(path.name for path in (language / "templates").iterdir())) == KINDS


def test_a_template_names_a_handler_that_is_there(template: Path) -> None:
    language = read_language(template.parents[1] / "runtime.toml")
    spec = spec_of(template)
    assert spec["runtime"] == language.name
    assert spec["handler"] == language.default_handler
    assert spec.get("signature", "cloudevent") == (
        "http" if template.name == "http" else "cloudevent"
    )


def test_the_event_of_a_template_is_one_that_it_gets(template: Path) -> None:
    file = template / "event.json"
    if template.name == "http":
        assert not file.exists()
        return
    event = json.loads(file.read_text())
    assert event["specversion"] == "1.0"
    subscribed = spec_of(template).get("subscriptions", [])
    # A PingSource sends to the function itself, not to its Broker.
    assert subscribed == ([] if event["type"] == PING else [{"type": event["type"]}])


def test_a_schedule_sends_its_ticks_to_the_function(template: Path) -> None:
    if template.name != "cron":
        return
    schedule = yaml.safe_load((template / "schedule.yaml").read_text())
    assert (schedule["apiVersion"], schedule["kind"]) == ("sources.knative.dev/v1", "PingSource")
    assert schedule["spec"]["sink"]["ref"] == {
        "apiVersion": "serving.knative.dev/v1", "kind": "Service", "name": "my-function",
    }  # fmt: skip
    event = json.loads((template / "event.json").read_text())
    assert json.loads(schedule["spec"]["data"]) == event["data"]
    assert event["source"].endswith(f"/pingsources/{schedule['metadata']['name']}")


def test_only_the_function_is_deployed(template: Path, tmp_path: Path) -> None:
    """Neither tests nor what they need, nor pipelines: a change of these builds nothing."""
    folder = tmp_path / "my-function"
    for source in (template, *template.parents[1].glob("ci/*/")):
        for file in source.rglob("*"):
            if file.is_file():
                target = folder / file.relative_to(source)
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(file.read_bytes())
    language = read_language(template.parents[1] / "runtime.toml")
    code = f"{language.default_module}{language.source.suffixes[0]}"
    deployed = [file.path for file in read_source(folder, max_bytes=10**6, max_files=100).files]
    assert len(deployed) == 2
    assert {code} < set(deployed) <= {code, *language.source.markers}


def test_a_template_has_a_test_and_no_leftovers(template: Path) -> None:
    names = {path.name for path in template.iterdir()}
    assert {"README.md", ".funcignore", "function.yaml"} < names
    assert [name for name in names if name.endswith(".test.js") or name.startswith("test_")]


def test_tests_use_the_packages_that_the_runtime_brings_along() -> None:
    """They would not show what happens in the runtime otherwise."""
    locked = (RUNTIMES / "python" / "requirements.txt").read_text()
    for file in RUNTIMES.glob("python/templates/*/requirements-dev.txt"):
        (pin,) = re.findall(r"^\S+==\S+$", file.read_text(), re.MULTILINE)
        assert f"\n{pin} " in locked
    bundled = json.loads((RUNTIMES.parent / "requirements/express/package.json").read_text())
    package = json.loads((RUNTIMES / "nodejs/templates/http/package.json").read_text())
    major = bundled["dependencies"]["express"].partition(".")[0]
    assert package["devDependencies"]["express"].startswith(f"^{major}.")
