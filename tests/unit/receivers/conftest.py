"""The receivers by name, and the runtimes' own modules as they are in an image."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parents[3] / "runtimes" / "python" / "server"))

from tests.unit.receivers.helpers.receivers import Broker, ControlFunction, Node, Python


@pytest.fixture(scope="session")
def node_receiver(require_server):
    return Node(require_server("node", "apt-get install nodejs, version 18 or newer"))


@pytest.fixture
def receiver(request):
    """The receiver of that name."""
    if request.param == "node":
        return request.getfixturevalue("node_receiver")
    return {"broker": Broker, "control": ControlFunction, "python": Python}[request.param]()
