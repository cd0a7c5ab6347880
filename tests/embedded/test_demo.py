"""`make demo`: the answer as the last line, or a reason; nothing is left either way."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.embedded.helpers.running_platform import CHECKOUT, kn_lambda_program, machine_environment

if TYPE_CHECKING:
    from collections.abc import Callable

    Demo = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def demo(tmp_path: Path) -> Demo:
    """Runs the demo with a folder of its own for temporary files."""
    (tmp_path / "tmp").mkdir()

    def run(**settings: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*kn_lambda_program(), "demo"],
            cwd=CHECKOUT,
            env={**machine_environment(), "TMPDIR": str(tmp_path / "tmp"), **settings},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=200,
            check=False,
        )

    return run


def processes_below(folder: Path) -> list[str]:
    """Command lines of processes whose environment names the folder."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if str(folder).encode() in (process / "environ").read_bytes():
                found.append((process / "cmdline").read_text().replace("\0", " "))
        except OSError:
            continue
    return found


def assert_nothing_is_left(tmp_path: Path) -> None:
    assert processes_below(tmp_path) == []
    assert list((tmp_path / "tmp").iterdir()) == []


def test_the_demo_prints_the_answer_last_and_leaves_nothing(demo: Demo, tmp_path: Path):
    done = demo()

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1]) == {"message": "Hello, Ada!"}
    assert_nothing_is_left(tmp_path)


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        pytest.param({"KN_LAMBDA_SOURCE_MAX_BYTES": "1"}, "larger than the limit", id="refused"),
        pytest.param({"KN_LAMBDA_UNPACKED_MAX_BYTES": "1"}, "larger than", id="build fails"),
        pytest.param({"UV_OFFLINE": "1"}, "uv pip failed", id="nothing can be installed"),
    ],
)
def test_a_demo_that_cannot_work_says_why_and_leaves_nothing(
    demo: Demo, tmp_path: Path, settings: dict[str, str], reason: str
):
    done = demo(UV_CACHE_DIR=str(tmp_path / "cache"), **settings)

    assert done.returncode != 0
    assert reason in done.stderr, done.stderr
    assert "Traceback" not in done.stderr
    assert_nothing_is_left(tmp_path)
