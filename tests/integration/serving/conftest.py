"""A platform of Serving alone, whose lambdas are small HTTP servers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.integration.helpers.serving_platform import Platform, running

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path


@pytest.fixture
def start_platform(tmp_path: Path):
    """Run a platform on the test's folder: `async with start_platform(idle_window_seconds=1)`."""
    return lambda *launchers, **settings: running(tmp_path, *launchers, **settings)


@pytest.fixture
async def platform(tmp_path: Path) -> AsyncIterator[Platform]:
    async with running(tmp_path) as platform:
        yield platform
