"""The API on fakes."""

from __future__ import annotations

import pytest

from tests.unit.inbound.api.helpers.api import Api


@pytest.fixture
def api():
    return Api()
