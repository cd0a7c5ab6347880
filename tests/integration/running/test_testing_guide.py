"""docs/TESTING_FUNCTIONS.md: its test over HTTP passes on a function without a platform."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kn_lambda.languages import language_of
from kn_lambda.templates import copy_template
from tests.helpers.dev_packages import PLAIN_ENVIRONMENT
from tests.helpers.shell_blocks import run_shell, shell_blocks
from tests.helpers.testing_guide import GUIDE, write_files

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.integration.running.helpers.run_process import RunProcess


def test_the_test_over_http_passes_on_a_running_function(
    running: Callable[..., RunProcess], tmp_path: Path
) -> None:
    python, _ = language_of("python")
    assert python is not None
    # `running` serves the folder `hello`.
    copy_template(tmp_path / "hello", "hello", python)
    run = running({}).ready()
    write_files(tmp_path, "greeter")
    (tmp_path / "greeter" / "event.json").symlink_to(tmp_path / "hello" / "event.json")
    start, test = shell_blocks(GUIDE, "Without a platform")
    assert start.endswith("kn-lambda run greeter\n")
    there = test.replace("http://127.0.0.1:8080", run.url)
    assert "1 passed" in run_shell(there, tmp_path, PLAIN_ENVIRONMENT)
