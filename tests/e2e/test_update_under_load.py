"""A new version is deployed while requests come in: none of them fails."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Self

from tests.e2e.http_client import post_event

if TYPE_CHECKING:
    from tests.e2e.embedded_platform import EmbeddedPlatform

VERSION = """
import time

def handler(event):
    time.sleep(0.02)  # so that requests are under way when the traffic moves
    return {number}
"""


class Load:
    """Asks again and again, several at once, until the block ends."""

    def __init__(self, url: str, *, askers: int = 4) -> None:
        self.answers: list[tuple[int, bytes]] = []
        self._url = url
        self._ended = threading.Event()
        self._askers = [threading.Thread(target=self._ask) for _ in range(askers)]

    def __enter__(self) -> Self:
        for asker in self._askers:
            asker.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._ended.set()
        for asker in self._askers:
            asker.join()

    def _ask(self) -> None:
        while not self._ended.is_set():
            answer = post_event(self._url, {}, type="t")
            self.answers.append((answer.status, answer.body))


def test_no_request_fails_while_new_versions_are_deployed(
    platform: EmbeddedPlatform, write_function, unique_name: str
):
    first = write_function(VERSION.replace("{number}", "1"))
    url = platform.deploy(first, "--name", unique_name)["url"]

    with Load(url) as load:
        for number in ("2", "3"):
            platform.deploy(
                write_function(VERSION.replace("{number}", number)), "--name", unique_name
            )
            seen = len(load.answers)
            # Once it is Ready the next one who asks has the new version.
            assert post_event(url, {}, type="t").body == number.encode()

    assert seen > 0
    assert {status for status, _ in load.answers} == {200}
    assert {body for _, body in load.answers} == {b"1", b"2", b"3"}


def test_no_request_fails_while_a_version_that_does_not_start_is_deployed(
    platform: EmbeddedPlatform, write_function, unique_name: str
):
    source = write_function(VERSION.replace("{number}", "1"))
    url = platform.deploy(source, "--name", unique_name)["url"]

    with Load(url) as load:
        broken = write_function("import no_such_module\n")
        assert platform.kn_lambda("deploy", broken, "--name", unique_name).returncode == 1

    assert set(load.answers) == {(200, b"1")}
