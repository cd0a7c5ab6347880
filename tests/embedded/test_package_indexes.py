"""A package index of one language, beside the common one."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tests.helpers.http_client import post_event
from tests.helpers.package_indexes import node_index, python_index

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.embedded.helpers.embedded_platform import EmbeddedPlatform

PYTHON = {
    "main.py": "import alpha\n\ndef handler(event):\n    return sorted(alpha.VALUE)\n",
    "requirements.txt": "alpha\n",
}
NODE = {
    "index.js": "exports.handler = () => ({ name: require('alpha') })",
    "package.json": '{"dependencies": {"alpha": "*"}}',
}


def test_each_language_is_built_from_its_index(start_platform: Callable[..., EmbeddedPlatform]):
    with python_index(credential=("own", "its-own")) as own, node_index() as common:
        platform = start_platform(
            KN_LAMBDA_PACKAGE_INDEX_URL=common,
            KN_LAMBDA_PACKAGE_INDEX_USERNAME="all",
            KN_LAMBDA_PACKAGE_INDEX_PASSWORD="common",
            KN_LAMBDA_PACKAGE_INDEXES=json.dumps({"python": own}),
            KN_LAMBDA_PACKAGE_INDEX_CREDENTIALS=json.dumps(
                {"python": {"username": "own", "password": "its-own"}}
            ),
        )
        platform.send_build_start("python", PYTHON)
        platform.send_build_start("nodejs", NODE, spec={"runtime": "nodejs20"})

        platform.await_phase("python", "Ready")
        platform.await_phase("nodejs", "Ready")

    # As on a cluster, the passwords are in a Secret of build-start alone.
    config_maps = platform.list("/api/v1/configmaps")
    assert own in str(config_maps)
    assert "its-own" not in str(config_maps)
    assert "KN_LAMBDA_PACKAGE_INDEX_PASSWORD" not in str(config_maps)
    assert post_event(platform.url("python"), {}, type="t").data == ["a", "b"]
    assert post_event(platform.url("nodejs"), {}, type="t").data == {"name": "alpha"}
