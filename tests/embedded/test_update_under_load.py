"""A new version is deployed while requests come in: none of them fails."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.helpers.http_client import post_event
from tests.helpers.load import Load

if TYPE_CHECKING:
    from tests.embedded.helpers.embedded_platform import EmbeddedPlatform

VERSION = """
import time

def handler(event):
    time.sleep(0.02)  # so that requests are under way when the traffic moves
    return {number}
"""


def load(url: str) -> Load:
    return Load(lambda: post_event(url, {}, type="t"), askers=4)


def test_no_request_fails_while_new_versions_are_deployed(
    platform: EmbeddedPlatform, write_function, unique_name: str
):
    first = write_function(VERSION.replace("{number}", "1"))
    url = platform.deploy(first, "--name", unique_name)["url"]

    with load(url) as asked:
        for number in ("2", "3"):
            platform.deploy(
                write_function(VERSION.replace("{number}", number)), "--name", unique_name
            )
            seen = len(asked.answers)
            # Once it is Ready the next one who asks has the new version.
            assert post_event(url, {}, type="t").body == number.encode()

    assert seen > 0
    assert {status for status, _ in asked.answers} == {200}
    assert {body for _, body in asked.answers} == {b"1", b"2", b"3"}


def test_no_request_fails_while_a_version_that_does_not_start_is_deployed(
    platform: EmbeddedPlatform, write_function, unique_name: str
):
    source = write_function(VERSION.replace("{number}", "1"))
    url = platform.deploy(source, "--name", unique_name)["url"]

    with load(url) as asked:
        broken = write_function("import no_such_module\n")
        assert platform.kn_lambda("deploy", broken, "--name", unique_name).returncode == 1

    assert set(asked.answers) == {(200, b"1")}
