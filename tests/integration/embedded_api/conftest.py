"""The embedded platform's API on a free port, driven by the official Kubernetes client."""

from __future__ import annotations

import os
import subprocess
import uuid

import pytest
from kubernetes import client, config

from lambda_embedded.access.certificate import read_or_create_certificate
from tests.helpers.running_api import RunningApi


@pytest.fixture(scope="module")
def running_api(tmp_path_factory):
    api = RunningApi(tmp_path_factory.mktemp("platform"))
    api.start()
    yield api
    api.stop()


@pytest.fixture
def api_client(running_api):
    api_client = config.new_client_from_config(str(running_api.kubeconfig))
    yield api_client
    api_client.close()
    api_client.rest_client.pool_manager.clear()


@pytest.fixture
def namespace(api_client):
    """A new namespace for one test."""
    name = f"test-{uuid.uuid4().hex[:10]}"
    core = client.CoreV1Api(api_client)
    core.create_namespace({"metadata": {"name": name}})
    yield name
    core.delete_namespace(name)


class Kubectl:
    """kubectl in one namespace of the API."""

    def __init__(self, program: str, api: RunningApi, namespace: str) -> None:
        self._command = [program, "--kubeconfig", str(api.kubeconfig), "-n", namespace]
        self._environment = {"HOME": str(api.folder), "PATH": os.defpath}

    def __call__(self, *arguments: str, text: str | None = None, **environment: str) -> str:
        """Return what it writes to stdout; it must succeed."""
        done = self.run(*arguments, text=text, **environment)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def fails(self, *arguments: str, text: str | None = None) -> str:
        """Return what it writes to stderr; it must fail."""
        done = self.run(*arguments, text=text)
        assert done.returncode != 0, done.stdout
        return done.stderr

    def run(
        self, *arguments: str, text: str | None = None, **environment: str
    ) -> subprocess.CompletedProcess[str]:
        """Run it, whatever comes of it."""
        return subprocess.run(
            [*self._command, *arguments],
            input=text, capture_output=True, text=True, timeout=60, check=False,
            env=self._environment | environment,
        )  # fmt: skip


@pytest.fixture
def kubectl(running_api, namespace, require_server) -> Kubectl:
    program = require_server("kubectl", "see kubernetes.io for how to install kubectl")
    return Kubectl(program, running_api, namespace)


@pytest.fixture
def certificate_files(tmp_path):
    """A certificate and its key, as two files."""
    text = read_or_create_certificate(tmp_path / "both.pem")
    key = (tmp_path / "both.pem").read_text().replace(text, "")
    (tmp_path / "tls.crt").write_text(text)
    (tmp_path / "tls.key").write_text(key)
    return tmp_path / "tls.crt", tmp_path / "tls.key"
