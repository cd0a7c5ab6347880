"""What `kn-lambda init` writes: its own tests pass, it is built calmly, its pipelines run."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest
import yaml

from kn_lambda.languages import language_of
from kn_lambda.templates import copy_template
from tests.helpers.dev_packages import PLAIN_ENVIRONMENT, give_dev_packages
from tests.helpers.shell_blocks import run_shell, shell_blocks
from tests.integration.runtimes.helpers.recipe_process import run_recipe

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

TEMPLATES = ("event", "http", "cron")


def write_function(folder: Path, language: str, **options: str) -> Path:
    found, _ = language_of(language)
    assert found is not None
    copy_template(folder, "greeter", found, **options)
    return folder


@pytest.fixture(params=TEMPLATES)
def template(request: pytest.FixtureRequest) -> str:
    return request.param


def test_a_fresh_function_passes_its_own_tests(
    language: str, template: str, require_server: Callable[[str, str], str], tmp_path: Path
) -> None:
    if language == "nodejs":
        require_server("npm", "apt-get install nodejs npm")
    folder = write_function(tmp_path / "greeter", language, template=template)
    give_dev_packages(folder)
    *_, test = shell_blocks(folder / "README.md", "Test")[0].splitlines()
    printed = run_shell(test, folder, PLAIN_ENVIRONMENT)
    assert " passed" in printed or "# pass" in printed or "pass " in printed


def test_a_fresh_function_is_built_in_one_calm_line(
    language: str, template: str, tmp_path: Path
) -> None:
    folder = write_function(tmp_path / "greeter", language, template=template)
    files = {file.name: file.read_text() for file in folder.iterdir()}
    run = run_recipe(language, files, tmp_path)
    assert (run.status, run.files()) == (0, {})
    assert run.log.endswith(": nothing to install\n")
    assert run.log.count("\n") == 1


# In place of the programs that the pipelines call: a note of how they were called.
_PROGRAM = """#!/bin/sh
echo "$(basename "$0") $*"
[ "$(basename "$0")" != kn-lambda ] || {
  stat -c 'kubeconfig %a' "$KUBECONFIG"
  cat "$KUBECONFIG"
}
"""


@pytest.fixture
def programs(tmp_path: Path) -> str:
    """A PATH on which they come first."""
    folder = tmp_path / "programs"
    folder.mkdir()
    for name in ("pip", "pipx", "kn-lambda"):
        (folder / name).write_text(_PROGRAM)
        (folder / name).chmod(0o755)
    return f"{folder}:{PLAIN_ENVIRONMENT['PATH']}"


def deployment(folder: Path, temporary: Path) -> tuple[str, dict[str, str]]:
    """Return the commands of the job that deploys, and the variables that it is given."""
    kubeconfig = temporary / "kubeconfig"
    if (folder / ".gitlab-ci.yml").exists():
        kubeconfig.write_text("apiVersion: v1\n")
        kubeconfig.chmod(0o600)
        job = yaml.safe_load((folder / ".gitlab-ci.yml").read_text())["deploy"]
        return "\n".join(job["script"]), {"KUBECONFIG": str(kubeconfig)}
    pipeline = yaml.safe_load((folder / ".github/workflows/greeter.yaml").read_text())
    steps = pipeline["jobs"]["deploy"]["steps"]
    variables = {"KUBECONFIG": str(kubeconfig), "KUBECONFIG_TEXT": "apiVersion: v1"}
    assert {name for step in steps for name in step.get("env", {})} == {
        "KN_LAMBDA_WHEEL", *variables,
    }  # fmt: skip
    return "\n".join(step["run"] for step in steps if "run" in step), variables


@pytest.mark.parametrize("system", ["github", "gitlab"])
def test_a_pipeline_deploys_with_the_kubeconfig_of_its_secret(
    system: str, language: str, programs: str, tmp_path: Path
) -> None:
    folder = write_function(tmp_path / "greeter", language, ci=system)
    commands, variables = deployment(folder, tmp_path)
    wheel = "https://example.com/kn_lambda-1.0-py3-none-any.whl"
    environment = {"PATH": programs, **variables, "KN_LAMBDA_WHEEL": wheel}

    printed = run_shell(commands, folder, environment).splitlines()

    assert printed == [
        f"{'pipx' if system == 'github' else 'pip'} install {wheel}",
        "kn-lambda deploy .",
        "kubeconfig 600",
        "apiVersion: v1",
    ]


@pytest.mark.parametrize("system", ["github", "gitlab"])
@pytest.mark.parametrize("unset", ["KN_LAMBDA_WHEEL", "KUBECONFIG"])
def test_a_pipeline_says_which_variable_it_lacks_and_deploys_nothing(
    system: str, unset: str, programs: str, tmp_path: Path
) -> None:
    folder = write_function(tmp_path / "greeter", "python", ci=system)
    commands, variables = deployment(folder, tmp_path)
    environment = {"PATH": programs, "KN_LAMBDA_WHEEL": "x", **variables}
    # A variable that is not set is an empty one on GitHub.
    environment["KUBECONFIG_TEXT" if (system, unset) == ("github", "KUBECONFIG") else unset] = ""
    done = subprocess.run(
        ["sh", "-ec", commands],
        cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode != 0
    assert unset in done.stderr
    assert "set th" in done.stderr
    assert "kn-lambda" not in done.stdout
