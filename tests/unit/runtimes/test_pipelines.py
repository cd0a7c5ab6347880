"""The pipelines of `init --ci` are what their platforms accept, and give strangers nothing."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

if TYPE_CHECKING:
    from collections.abc import Iterator

RUNTIMES = Path(__file__).parents[3] / "runtimes"
GITHUB = sorted(RUNTIMES.glob("*/ci/github/.github/workflows/*.yaml"))
GITLAB = sorted(RUNTIMES.glob("*/ci/gitlab/.gitlab-ci.yml"))
LANGUAGES = {file.parent.name for file in RUNTIMES.glob("*/runtime.toml")}

# From the documentation of the workflow syntax and of the keywords of .gitlab-ci.yml, those in use.
GITHUB_KEYS = {"name", "on", "permissions", "jobs"}
GITHUB_JOB_KEYS = {
    "runs-on", "timeout-minutes", "steps", "needs", "if", "environment", "concurrency",
}  # fmt: skip
GITHUB_STEP_KEYS = {"uses", "with", "run", "env"}
GITLAB_JOB_KEYS = {"stage", "image", "timeout", "script", "rules", "resource_group"}


def language_of(file: Path) -> str:
    return file.relative_to(RUNTIMES).parts[0]


@pytest.fixture(params=GITHUB, ids=language_of)
def github(request: pytest.FixtureRequest) -> dict[str, Any]:
    # YAML 1.1 reads the key `on` as true.
    pipeline = yaml.safe_load(request.param.read_text().replace("\non:", "\n'on':"))
    assert isinstance(pipeline, dict)
    return pipeline


@pytest.fixture(params=GITLAB, ids=language_of)
def gitlab(request: pytest.FixtureRequest) -> dict[str, Any]:
    pipeline = yaml.safe_load(request.param.read_text())
    assert isinstance(pipeline, dict)
    return pipeline


def steps(pipeline: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for job in pipeline["jobs"].values():
        yield from job["steps"]


def test_every_language_has_both() -> None:
    assert {language_of(file) for file in GITHUB} == LANGUAGES
    assert {language_of(file) for file in GITLAB} == LANGUAGES


def test_github_knows_every_key(github: dict[str, Any]) -> None:
    assert github.keys() == GITHUB_KEYS
    assert github["on"] == ["push", "pull_request"]
    assert list(github["jobs"]) == ["test", "deploy"]
    assert all({"runs-on", "timeout-minutes"} <= job.keys() for job in github["jobs"].values())
    assert all(job.keys() <= GITHUB_JOB_KEYS for job in github["jobs"].values())
    for step in steps(github):
        assert step.keys() <= GITHUB_STEP_KEYS
        assert ("run" in step) != ("uses" in step)


def test_a_workflow_may_read_the_repository_and_nothing_else(github: dict[str, Any]) -> None:
    assert github["permissions"] == {"contents": "read"}
    checkouts = [step for step in steps(github) if "checkout" in step.get("uses", "")]
    assert len(checkouts) == 2
    assert all(step["with"] == {"persist-credentials": False} for step in checkouts)


def test_actions_are_pinned_by_commit_and_say_their_version() -> None:
    """Whoever takes over the repository of an action can move its tags, but not its commits."""
    for file in GITHUB:
        used = re.findall(r"uses: (.*)", file.read_text())
        assert used
        for line in used:
            assert re.fullmatch(r"actions/[a-z-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", line)


def test_no_expression_is_pasted_into_a_script(github: dict[str, Any]) -> None:
    """The text of a variable, a branch or a pull request would run as part of it."""
    assert not [step for step in steps(github) if "${{" in step.get("run", "")]


def test_a_pull_request_gets_no_secret_and_deploys_nothing(github: dict[str, Any]) -> None:
    test, deploy = github["jobs"]["test"], github["jobs"]["deploy"]
    assert "secrets" not in yaml.safe_dump(test)
    assert deploy["needs"] == "test"
    assert deploy["environment"] == "production"
    event, ref = deploy["if"].split(" && ")
    assert event == "github.event_name == 'push'"
    # The whole reference: a tag may have the name of the branch.
    default = "format('refs/heads/{0}', github.event.repository.default_branch)"
    assert ref == f"github.ref == {default}"


def test_gitlab_knows_every_key(gitlab: dict[str, Any]) -> None:
    assert list(gitlab) == ["stages", "test", "deploy"]
    for name in gitlab["stages"]:
        job = gitlab[name]
        assert job.keys() <= GITLAB_JOB_KEYS
        assert job["stage"] == name
        # A colon and a space would make an object of a command.
        assert all(isinstance(line, str) for line in job["script"])


def test_gitlab_deploys_from_the_default_branch_alone(gitlab: dict[str, Any]) -> None:
    assert "KUBECONFIG" not in yaml.safe_dump(gitlab["test"])
    # Not of a tag or a merge request: CI_COMMIT_BRANCH is not set there.
    rule = "$CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH"
    assert gitlab["deploy"]["rules"] == [{"if": rule}]


def test_kn_lambda_comes_from_the_address_that_the_repository_names() -> None:
    """A name in a public index could be somebody else's."""
    for file in GITHUB + GITLAB:
        installs = re.findall(r"(?:pipx?|uv) .*install (.*)", file.read_text())
        assert [line for line in installs if line.startswith('"${KN_LAMBDA_WHEEL:?')], file
        assert not [line for line in installs if "kn-lambda" in line or "kn_lambda" in line]


@pytest.mark.parametrize(
    "file", GITHUB + GITLAB, ids=lambda file: f"{language_of(file)}-{file.name}"
)
def test_the_tests_of_a_template_run_as_its_readme_says(file: Path) -> None:
    readme = (RUNTIMES / language_of(file) / "templates/http/README.md").read_text()
    commands = readme.partition("## Test\n")[2].partition("```sh\n")[2].partition("```")[0]
    wanted = [
        line.replace(".venv/bin/", "") for line in commands.splitlines() if "-m venv" not in line
    ]
    text = file.read_text()
    assert all(f"{line}\n" in text for line in wanted)
