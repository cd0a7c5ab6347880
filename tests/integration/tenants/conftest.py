"""`kn-lambda tenant` in this process, against an API of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from kn_lambda.cluster.api import ClusterApi
from kn_lambda.cluster.http import HttpClient
from kn_lambda.cluster.installation import Installation
from kn_lambda.main import cli

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from click.testing import Result


@pytest.fixture
def command_line(tmp_path) -> Callable[..., Callable[..., Result]]:
    """`command_line(kubeconfig, is_embedded=True)("tenant", "list")` is click's Result."""
    apis = []

    def connected(kubeconfig: Path, *, is_embedded: bool) -> Callable[..., Result]:
        api = ClusterApi(kubeconfig=str(kubeconfig))
        apis.append(api)
        installation = Installation(
            api=api, http=HttpClient(), name="an API of tests", is_embedded=is_embedded
        )

        def run(*arguments: str, stdin: bytes = b"") -> Result:
            return CliRunner(env={"KN_LAMBDA_HOME": str(tmp_path), "KUBECONFIG": None}).invoke(
                cli, list(arguments), obj=lambda _options: installation, input=stdin
            )

        return run

    yield connected
    for api in apis:
        api.close()
