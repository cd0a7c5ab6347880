"""The embedded platform's API on a free port, driven by the official Kubernetes client."""

from __future__ import annotations

import asyncio
import contextlib
import os
import subprocess
import threading
import uuid
from typing import TYPE_CHECKING

import pytest
from aiohttp import web
from kubernetes import client, config

from lambda_embedded.access.access import Access
from lambda_embedded.access.certificate import read_or_create_certificate, server_context
from lambda_embedded.access.token import read_or_create_token
from lambda_embedded.api.garbage_collector import GarbageCollector
from lambda_embedded.api.kubeconfig import write_kubeconfig
from lambda_embedded.api.server import create_api
from lambda_embedded.store.database import Database
from lambda_embedded.store.objects import Objects

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytest.register_assert_rewrite("tests.integration.embedded_api.helpers.conformance")

CHANGES_KEPT = 50


class RunningApi:
    """The API in a thread with an event loop of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.kubeconfig = folder / "kubeconfig"
        self.token = read_or_create_token(folder / "token")
        self.url = ""
        self.objects: Objects
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()))

    def start(self):
        self._thread.start()
        assert self._ready.wait(10)

    def stop(self):
        self._loop.call_soon_threadsafe(self._end.set)
        self._thread.join(10)
        assert not self._thread.is_alive()

    def call(self, function: Callable, *arguments, **options):
        """Call what belongs to the platform's thread there, and return what it returns."""

        async def run():
            return function(*arguments, **options)

        return asyncio.run_coroutine_threadsafe(run(), self._loop).result(10)

    async def _serve(self):
        self._loop, self._end = asyncio.get_running_loop(), asyncio.Event()
        database = Database(self.folder / "state.sqlite")
        self.objects = Objects(database, changes_kept=CHANGES_KEPT)
        app = create_api(self.objects, self.folder / "pods", access=Access(token=self.token))
        certificate = read_or_create_certificate(self.folder / "api.pem")
        runner = web.AppRunner(app)
        await runner.setup()
        tls = server_context(self.folder / "api.pem")
        site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls)
        await site.start()
        self.url = f"https://127.0.0.1:{runner.addresses[0][1]}"
        write_kubeconfig(
            self.kubeconfig,
            self.url,
            certificate=certificate,
            token_file=self.folder / "token",
        )
        collector = asyncio.create_task(GarbageCollector(self.objects).run())
        self._ready.set()
        await self._end.wait()
        collector.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await collector
        await runner.cleanup()
        database.close()


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
