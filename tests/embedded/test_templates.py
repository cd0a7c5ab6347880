"""What `kn-lambda init` writes does on the platform what its README says."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.embedded.helpers.running_platform import CHECKOUT, machine_environment
from tests.helpers.shell_blocks import run_shell, shell_blocks
from tests.helpers.testing_guide import GUIDE, write_files
from tests.helpers.waiting import wait_for

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.embedded.helpers.embedded_platform import EmbeddedPlatform

# What the README's call prints.
ANSWERS = {
    "event": '"Hello, Ada!"',
    "http": '"Hello, Ada!"',
    "cron": "Writing the daily report of 2026-01-15",
}
NODE = ("npm", "apt-get install nodejs npm")


@pytest.fixture
def environment(platform: EmbeddedPlatform) -> dict[str, str]:
    """That of a person who has kn-lambda on PATH and uses this platform."""
    own = machine_environment()
    return own | {
        "PATH": f"{CHECKOUT / '.venv' / 'bin'}:{own['PATH']}",
        "KN_LAMBDA_HOME": str(platform.home),
        "KUBECONFIG": str(platform.kubeconfig),
    }


@pytest.fixture
def init(
    platform: EmbeddedPlatform,
    require_server: Callable[[str, str], str],
    unique_name: str,
    tmp_path: Path,
) -> Callable[[str, str], Path]:
    """`init("node", "http")` is the folder of a new function."""

    def write(language: str, template: str) -> Path:
        if language == "node":
            require_server(*NODE)
        folder = tmp_path / unique_name
        options = ("--runtime", language, "--template", template)
        done = platform.kn_lambda("init", folder, *options)
        assert done.returncode == 0, done.stderr
        return folder

    return write


def assert_calm(printed: str) -> None:
    assert "warn" not in printed.lower()
    assert "left out" not in printed


@pytest.mark.parametrize(
    ("language", "template"),
    # The event of Python is deployed by the guide below, its schedule too.
    [("python", "http"), *(("node", template) for template in ANSWERS)],
)
def test_a_fresh_function_is_deployed_without_a_warning_and_answers(
    init: Callable[[str, str], Path], language: str, template: str, environment: dict[str, str]
):
    folder = init(language, template)
    commands, *_ = shell_blocks(folder / "README.md", "Deploy and call")
    printed = run_shell(commands, folder, environment)
    assert ANSWERS[template] in printed
    assert_calm(printed)


def test_a_function_with_a_schedule_runs_now_and_at_each_tick(
    platform: EmbeddedPlatform,
    init: Callable[[str, str], Path],
    environment: dict[str, str],
    require_server: Callable[[str, str], str],
):
    require_server("kubectl", "apt-get install kubernetes-client")
    folder = init("python", "cron")
    schedule = folder / "schedule.yaml"
    # Each second, since nobody waits until six.
    schedule.write_text(schedule.read_text().replace('"0 6 * * *"', '"* * * * * *"'))
    now, at_each_tick = shell_blocks(folder / "README.md", "Deploy and call")

    assert ANSWERS["cron"] in run_shell(now, folder, environment)
    run_shell(at_each_tick, folder, environment)

    def runs() -> int:
        return platform.kn_lambda("logs", folder.name).stdout.count("Writing the daily report")

    wait_for(lambda: runs() >= 3, within=60)
    (remove,) = shell_blocks(folder / "README.md", "Remove")
    run_shell(remove, folder, environment)
    assert platform.record(folder.name) is None


def test_the_guide_tests_a_deployed_function_as_it_says(
    platform: EmbeddedPlatform, unique_name: str, environment: dict[str, str], tmp_path: Path
):
    create = f"kn-lambda init {unique_name} --runtime python\n"
    deploy, test = shell_blocks(GUIDE, "On the embedded platform")
    printed = run_shell(create + deploy.replace("greeter", unique_name), tmp_path, environment)
    assert "Hello, Ada!" in printed
    assert_calm(printed)
    write_files(tmp_path, "greeter")
    (tmp_path / "greeter" / "test_over_http.py").rename(
        tmp_path / unique_name / "test_over_http.py"
    )
    there = test.replace("greeter", unique_name).replace(
        "http://127.0.0.1:8080", platform.gateway_url
    )
    assert "1 passed" in run_shell(there, tmp_path, environment)
