from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from lambda_embedded.isolation import View
from lambda_embedded.processes.children import ChildProcess, start_process
from tests.integration.helpers.isolation import (
    MACHINE,
    bubblewrap,
    escape,
    holder,
    sleeper,
    supervisor,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from lambda_embedded.isolation import Holder

__all__ = ["bubblewrap", "escape", "holder", "sleeper", "supervisor"]


@pytest.fixture
def start(tmp_path: Path, holder: Holder) -> Callable:
    """Start a Python script below a holder; it may write to the folder `own`."""
    own = tmp_path / "data" / "own"
    own.mkdir(parents=True)

    async def start(code: str, *arguments: str, **environment: str) -> ChildProcess:
        return await start_process(
            [sys.executable, "-c", code, *arguments],
            environment={**MACHINE, **environment},
            working_directory=own,
            log_file=tmp_path / "main.log",
            data_folder=tmp_path / "data",
            holder=holder,
            view=View(readable=(Path(sys.prefix), Path(sys.base_prefix)), writable=(own,)),
        )

    return start


@pytest.fixture
def log(tmp_path: Path) -> Callable[[], str]:
    return (tmp_path / "main.log").read_text
