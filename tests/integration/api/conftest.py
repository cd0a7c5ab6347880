"""functions/api/main.py under functions-framework, and the embedded platform's Kubernetes API."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from functions_framework import create_app
from functions_framework._function_registry import ASGI_FUNCTIONS

from tests.helpers.kubeconfigs import write_kubeconfig
from tests.helpers.lambda_function_specs import MINIMAL
from tests.helpers.raw_api import RawApi
from tests.helpers.running_api import RunningApi
from tests.integration.api.helpers.tenant import BUILD

MAIN = Path(__file__).parents[3] / "functions/api/main.py"


@pytest.fixture(scope="session")
def kubernetes(tmp_path_factory):
    """A Kubernetes API with a tenant, its lambda `hello`, and a log of a build."""
    api = RunningApi(tmp_path_factory.mktemp("api"))
    api.start()
    raw = RawApi(api.kubeconfig, "default")
    made = raw.send_to("POST", "/api/v1/namespaces", {"metadata": {"name": "default"}})
    assert made.code in {201, 409}, made
    item = {
        "apiVersion": "knative-lambda.dev/v1alpha1",
        "kind": "LambdaFunction",
        "metadata": {"name": "hello", "labels": {"app": "shop"}},
        "spec": MINIMAL,
    }
    made = raw.send("POST", "knative-lambda.dev/lambdafunctions", item)
    assert made.code == 201, made
    yield api
    api.stop()


@pytest.fixture(scope="session")
def storage(tmp_path_factory):
    """The folder of all that is stored."""
    folder: Path = tmp_path_factory.mktemp("storage")
    logs = folder / "own/logs/default/hello"
    logs.mkdir(parents=True)
    (logs / f"{BUILD}.log").write_text("installed\n")
    return folder


@pytest.fixture(scope="session")
def environment(kubernetes, storage, tmp_path_factory):
    """Of the function; the token of its kubeconfig is one that the API does not know."""
    kubeconfig = tmp_path_factory.mktemp("own") / "kubeconfig"
    certificate = kubernetes.folder / "ca.crt"
    certificate.write_bytes(_certificate(kubernetes))
    write_kubeconfig(kubeconfig, kubernetes.url, token="not-a-token", certificate=certificate)
    return {
        "KUBECONFIG": str(kubeconfig),
        "KN_LAMBDA_STORAGE_URL": f"file://{storage}/own/",
        "KN_LAMBDA_UPLOAD_URL": f"file://{storage}/uploads/",
        "KN_LAMBDA_SOURCE_MAX_BYTES": "100000",
    }


@pytest.fixture(scope="session")
def started(environment):
    """The function, as it is before its first request."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    with pytest.MonkeyPatch.context() as monkeypatch:
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        made: Any = create_app("handle", str(MAIN), "http")
    # A function sets up logging when it starts; other tests get theirs back. And
    # functions-framework would take every function `handle` of this process for one like this.
    root.handlers[:] = handlers
    root.setLevel(level)
    ASGI_FUNCTIONS.discard("handle")
    return made


@pytest.fixture
def app(started, environment, monkeypatch):
    """The ASGI application."""
    monkeypatch.setenv("KUBECONFIG", environment["KUBECONFIG"])
    return started


def _certificate(kubernetes: RunningApi) -> bytes:
    text = (kubernetes.folder / "api.pem").read_text()
    begin = text.index("-----BEGIN CERTIFICATE-----")
    assert urlsplit(kubernetes.url).scheme == "https"
    return text[begin:].encode()
