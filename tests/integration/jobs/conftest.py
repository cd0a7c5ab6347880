from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from lambda_embedded.store.database import Database
from lambda_embedded.store.objects import Objects
from tests.integration.jobs.helpers.running_jobs import Jobs

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def jobs(tmp_path: Path):
    """Objects without a controller yet."""
    database = Database(tmp_path / "state.sqlite")
    yield Jobs(Objects(database), tmp_path)
    database.close()


@pytest.fixture
async def running(jobs: Jobs):
    async with jobs.controller():
        yield jobs


@pytest.fixture
def hold(tmp_path: Path) -> str:
    """A script that says its pid in the file `pid`, then waits for the file `go`."""
    return (
        f"import os, pathlib, time; here = pathlib.Path({str(tmp_path)!r}); "
        "part = here / f'{os.getpid()}.part'; part.write_text(str(os.getpid())); "
        "part.rename(here / 'pid')\n"
        "while not (here / 'go').exists(): time.sleep(0.01)"
    )
