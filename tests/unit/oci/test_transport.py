"""To which URLs the registry's own authorization goes."""

from __future__ import annotations

import io
from typing import Any, cast

import pytest
import urllib3

from lambda_oci.credentials import Credentials
from lambda_oci.http import OF_A_BUILD
from lambda_oci.transport import Transport


class ChallengingPool:
    """Requires a password, and remembers which authorization came with which URL."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, str | None]] = []

    def request(self, method: str, url: str, **options: Any) -> urllib3.HTTPResponse:
        given = options["headers"].get("Authorization")
        self.seen.append((url, given))
        return urllib3.HTTPResponse(
            body=io.BytesIO(),
            status=200 if given else 401,
            headers={"WWW-Authenticate": "Basic"},
            preload_content=False,
        )


@pytest.mark.parametrize(
    "origin",
    [
        "https://registry.test",
        "http://my_registry:5000",
        "http://[2001:db8::1]:5000",
        "http://[fe80::1%25eth0]:5000",
        "https://xn--rgistre-bya.test",
    ],
)
def test_every_form_of_a_host_is_recognised_as_the_registry(origin):
    pool = ChallengingPool()
    transport = Transport(
        origin,
        lambda: Credentials("builder", "secret"),
        [],
        patience=OF_A_BUILD,
        pool=cast("urllib3.PoolManager", pool),
    )
    assert transport.send("GET", "/v2/").status == 200
    assert [given is not None for _, given in pool.seen] == [False, True]
