"""Starts the programs of a build as the platform does: by their environment alone."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True)
class Ended:
    """What is left of a program that ended."""

    exit_code: int
    output: str
    errors: str
    message: dict

    @property
    def last_line(self) -> str:
        return self.errors.rstrip().rpartition("\n")[2]


def environment(folder: Path, values: dict[str, str]) -> dict[str, str]:
    (folder / "workspace").mkdir(exist_ok=True)
    machine = dict(os.environ)  # noqa: TID251 - a program gets the machine's environment
    return {
        **{name: value for name, value in machine.items() if "proxy" not in name.lower()},
        "BUILD_WORKSPACE": str(folder / "workspace"),
        "TERMINATION_MESSAGE_PATH": str(folder / "termination"),
        **values,
    }


def start(program: str, folder: Path, values: dict[str, str], **options) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-I", "-m", f"lambda_builder.{program}"],
        env=environment(folder, values),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **options,
    )


def finish(process: subprocess.Popen, folder: Path) -> Ended:
    output, errors = process.communicate(timeout=120)
    path = folder / "termination"
    message = json.loads(path.read_text()) if path.exists() and path.read_text() else {}
    return Ended(process.returncode, output, errors, message)


def run(program: str, folder: Path, values: dict[str, str], **options) -> Ended:
    (folder / "termination").unlink(missing_ok=True)
    return finish(start(program, folder, values, **options), folder)


def assert_failed(ended: Ended, exit_code: int, reason: str) -> str:
    """A failure as the contract has it; its message."""
    assert (ended.exit_code, ended.message.get("reason")) == (exit_code, reason), ended
    assert ended.errors.rstrip().endswith(f"{reason}: {ended.message['message']}")
    assert len(json.dumps(ended.message)) <= 4096
    return ended.message["message"]
