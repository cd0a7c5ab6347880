"""What `make dist` builds of this checkout, once for all tests."""

from __future__ import annotations

import pytest

from tests.integration.distribution.helpers.building import CHECKOUT, Built, build


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    return build(CHECKOUT, tmp_path_factory.mktemp("dist"))
