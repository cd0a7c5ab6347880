from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from lambda_sandbox.children import ChildProcess, start_process
from lambda_sandbox.isolation import View
from lambda_sandbox.log_file import RotatingLog
from tests.integration.helpers.isolation import (
    MACHINE,
    bubblewrap,
    escape,
    isolation,
    sleeper,
    supervisor,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from lambda_sandbox.isolation import Isolation

__all__ = ["bubblewrap", "escape", "isolation", "sleeper", "supervisor"]


@pytest.fixture
def start(tmp_path: Path, isolation: Isolation) -> Callable:
    """Start an isolated Python script; it may write to the folder `own`."""
    own = tmp_path / "data" / "own"
    own.mkdir(parents=True)

    async def start(code: str, *arguments: str, **environment: str) -> ChildProcess:
        return await start_process(
            [sys.executable, "-c", code, *arguments],
            environment={**MACHINE, **environment},
            working_directory=own,
            log=RotatingLog(tmp_path / "main.log", limit_bytes=2**20),
            data_folder=tmp_path / "data",
            isolation=isolation,
            view=View(readable=(Path(sys.prefix), Path(sys.base_prefix)), writable=(own,)),
        )

    return start


@pytest.fixture
def log(tmp_path: Path) -> Callable[[], str]:
    return (tmp_path / "main.log").read_text
