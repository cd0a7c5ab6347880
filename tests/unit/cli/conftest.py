"""Commands run in this process, against a platform in memory."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from kn_lambda.main import cli
from tests.helpers.pseudo_terminal import pseudo_terminal
from tests.unit.cli.helpers.fakes import FakePlatform

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


@dataclass(frozen=True)
class Shown:
    """What each of two terminals was sent."""

    stdout: str
    stderr: str


@pytest.fixture
def on_terminal(fake_platform: FakePlatform, tmp_path, monkeypatch) -> Callable[..., Shown]:
    """`on_terminal("logs", "hello")` runs it with stdout and stderr on a terminal each."""
    monkeypatch.setenv("KN_LAMBDA_HOME", str(tmp_path))
    monkeypatch.delenv("KUBECONFIG", raising=False)
    for name in ("NO_COLOR", "FORCE_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "KN_LAMBDA_PLAIN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "100")

    def run(*arguments: str) -> Shown:
        with (
            pseudo_terminal() as out,
            pseudo_terminal() as err,
            contextlib.redirect_stdout(out.stream),
            contextlib.redirect_stderr(err.stream),
            contextlib.suppress(SystemExit),
        ):
            cli.main(
                list(arguments),
                obj=lambda _options: fake_platform.installation,
                prog_name="kn-lambda",
            )
        return Shown(out.text, err.text)

    return run
