"""Object storage that goes away and comes back: nothing is lost, what runs goes on."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING

import pytest

from tests.helpers.http_client import post_event
from tests.helpers.lambda_platform import BUILD_START
from tests.helpers.s3_servers import moto_server
from tests.helpers.server_processes import free_port
from tests.helpers.waiting import wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

BUCKET = "knative-lambda"
OUTAGE_SECONDS = 20.0
HELLO = "def handler(event):\n    return 'hello'\n"


class Storage:
    """An S3 server that can be taken away; moto forgets everything, as a lost disk would."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._running = ExitStack()
        self.port = free_port()

    @property
    def settings(self) -> dict[str, str]:
        return {
            "KN_LAMBDA_STORAGE_URL": f"s3://{BUCKET}/own/",
            "KN_LAMBDA_S3_ENDPOINT_URL": f"http://127.0.0.1:{self.port}",
            "KN_LAMBDA_S3_ACCESS_KEY_ID": "an-access-key",
            "KN_LAMBDA_S3_SECRET_ACCESS_KEY": "a-secret-access-key",
        }

    def start(self) -> None:
        self._running.enter_context(moto_server(self._folder, self.port, bucket=BUCKET))

    def stop(self) -> None:
        self._running.close()


@pytest.fixture
def storage(tmp_path: Path) -> Iterator[Storage]:
    server = Storage(tmp_path)
    server.start()
    yield server
    with suppress(subprocess.TimeoutExpired):
        server.stop()


def test_a_deploy_outlives_twenty_seconds_without_storage(
    start_platform, storage: Storage, write_function
):
    platform = start_platform(**storage.settings)
    platform.deploy(write_function(HELLO), "--name", "steady")
    storage.stop()
    began = time.monotonic()

    sent = platform.send_build_start("patient", {"main.py": HELLO})

    assert sent.status == 202
    while time.monotonic() - began < OUTAGE_SECONDS:
        answer = post_event(platform.url("steady"), {}, type="t")
        assert (answer.status, answer.data) == (200, "hello")
        assert platform.phase("patient") != "Ready"
        time.sleep(0.5)
    storage.start()
    platform.await_phase("patient", "Ready", within=60)
    assert post_event(platform.url("patient"), {}, type="t").data == "hello"
    platform.await_settled()
    (start,) = platform.events(subject="default/patient", type=BUILD_START)
    (delivery,) = [each for each in start["triggers"] if each["name"] == "build-start"]
    assert delivery["state"] == "delivered"
    assert delivery["attempts"] > 1
    assert platform.dead_letters() == []


def test_a_person_who_waits_is_told_that_it_is_tried_again(
    start_platform, storage: Storage, write_function
):
    platform = start_platform(**storage.settings)
    storage.stop()
    source = write_function(HELLO)
    command = ("deploy", source, "--name", "patient", "--timeout", "4s")

    done = platform.kn_lambda(*command)

    assert done.returncode == 5
    assert "the Broker will retry" in done.stderr
    assert "the deployment continues" in done.stderr
    storage.start()
    platform.await_phase("patient", "Ready", within=60)


def test_a_context_that_was_lost_is_a_failed_build_and_the_next_request_works(
    start_platform, storage: Storage, write_function, gate
):
    platform = start_platform(**storage.settings)
    source = write_function(HELLO, requirements=gate.requirement)
    platform.kn_lambda("deploy", source, "--name", "unlucky", "--no-wait")
    gate.await_build()
    storage.stop()
    storage.start()  # empty
    (builder, *_) = platform.processes("lambda_builder.packages")
    os.kill(builder, signal.SIGKILL)

    record = platform.await_phase("unlucky", "Failed")

    assert "Signature" not in str(record)
    assert record["status"]["build"]["message"]
    gate.open()
    platform.deploy(source, "--name", "unlucky")
    wait_for(lambda: post_event(platform.url("unlucky"), {}, type="t").status == 200)
