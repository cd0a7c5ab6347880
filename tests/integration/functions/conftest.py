"""The functions under functions-framework; their Kubernetes API refuses connections."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import pytest
from functions_framework import create_app

from lambda_builder.runtime import languages_setting, read_languages

FUNCTIONS = Path(__file__).parents[3] / "functions"
# api takes no events and has tests of its own.
NAMES = sorted({path.parent.name for path in FUNCTIONS.glob("*/main.py")} - {"api"})
KUBECONFIG = {
    "apiVersion": "v1",
    "kind": "Config",
    "current-context": "refused",
    "contexts": [{"name": "refused", "context": {"cluster": "refused", "user": "nobody"}}],
    "clusters": [{"name": "refused", "cluster": {"server": "http://127.0.0.1:1"}}],
    "users": [{"name": "nobody", "user": {}}],
}


def environment(folder: Path) -> dict[str, str]:
    kubeconfig = folder / "kubeconfig"
    kubeconfig.write_text(json.dumps(KUBECONFIG))
    return {
        "KUBECONFIG": str(kubeconfig),
        "KN_LAMBDA_STORAGE_URL": f"file://{folder}/own/",
        "KN_LAMBDA_SOURCE_PREFIXES": f'["file://{folder}/sources/{{namespace}}/"]',
        "KN_LAMBDA_REGISTRY_URL": f"file://{folder}/registry",
        "KN_LAMBDA_IMAGE_PREFIX": "registry.invalid/lambdas",
        "KN_LAMBDA_LANGUAGES": languages_setting(read_languages(FUNCTIONS.parent / "runtimes")),
        "KN_LAMBDA_BASE_IMAGES": json.dumps({"python3.11": f"file:///b@sha256:{'0' * 64}"}),
        "KN_LAMBDA_BUILD_JOB_IMAGE": "registry.invalid/builder",
    }


@pytest.fixture(scope="session")
def applications(tmp_path_factory):
    """Name of a function -> its WSGI application."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    with pytest.MonkeyPatch.context() as monkeypatch:
        for name, value in environment(tmp_path_factory.mktemp("functions")).items():
            monkeypatch.setenv(name, value)
        made = {
            name: create_app("handle", str(FUNCTIONS / name / "main.py"), "http") for name in NAMES
        }
    # A function sets up environment and logging when it starts; other tests get theirs back.
    root.handlers[:] = handlers
    root.setLevel(level)
    return made


@pytest.fixture(params=NAMES)
def client(request, applications):
    """A client of one function."""
    return applications[request.param].test_client()
