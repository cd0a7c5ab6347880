"""The Kubernetes APIs that contracts are proven on, by name."""

from __future__ import annotations

import pytest

KUBERNETES_APIS = [
    "embedded",
    # One of them for all tests: two would be most of this machine.
    pytest.param("real", marks=[pytest.mark.xdist_group("api-server"), pytest.mark.timeout(300)]),
]
