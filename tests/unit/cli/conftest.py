"""Commands run in this process, against a platform in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from kn_lambda.main import cli
from tests.unit.cli.fakes import FakePlatform

if TYPE_CHECKING:
    from collections.abc import Callable

    from click.testing import Result


@pytest.fixture
def fake_platform() -> FakePlatform:
    return FakePlatform()


@pytest.fixture
def kn_lambda(fake_platform: FakePlatform, tmp_path) -> Callable[..., Result]:
    """`kn_lambda("list", "-o", "json")` is click's Result, with stdout and stderr apart."""

    def run(*arguments: str, stdin: bytes = b"") -> Result:
        return CliRunner(env={"KN_LAMBDA_HOME": str(tmp_path), "KUBECONFIG": None}).invoke(
            cli,
            list(arguments),
            obj=lambda _options: fake_platform.installation,
            input=stdin,
            prog_name="kn-lambda",
        )

    return run
