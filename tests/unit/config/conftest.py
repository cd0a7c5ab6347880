"""What config/ says, and the functions that it speaks of."""

from __future__ import annotations

import importlib.util
import logging

import pytest

from tests.helpers.dev_overlay import OBJECTS, REPOSITORY


@pytest.fixture(scope="session")
def objects():
    def of_kind(kind):
        found = [item for item in OBJECTS if item["kind"] == kind]
        assert found, f"config/ has no {kind}"
        return found

    return of_kind


@pytest.fixture
def config_map(objects):
    (data,) = [
        item["data"]
        for item in objects("ConfigMap")
        if item["metadata"]["name"] == "knative-lambda-settings"
    ]
    return data


@pytest.fixture
def function(config_map, monkeypatch):
    """Load functions/<name>/main.py as the framework does, told what config/ tells it."""
    for name, value in config_map.items():
        monkeypatch.setenv(name, value)
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level

    def load(name):
        path = REPOSITORY / "functions" / name / "main.py"
        definition = importlib.util.spec_from_file_location(f"function_{name}", path)
        module = importlib.util.module_from_spec(definition)
        definition.loader.exec_module(module)
        return module

    yield load
    root.handlers[:] = handlers
    root.setLevel(level)
