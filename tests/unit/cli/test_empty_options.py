"""An option that is given without a value, as `--name "$UNSET"` does, is an error."""

from __future__ import annotations

import click
import pytest

from kn_lambda.errors import ExitCode
from kn_lambda.main import cli

_MAY_BE_EMPTY = {"--data"}
_CONTEXT = click.Context(cli)


def _options():
    for command in (
        cli,
        *(cli.get_command(_CONTEXT, name) for name in cli.list_commands(_CONTEXT)),
    ):
        for param in command.params:
            takes_a_value = isinstance(param, click.Option) and not param.is_flag
            if takes_a_value and max(param.opts, key=len) not in _MAY_BE_EMPTY:
                yield pytest.param(
                    command.name, param, id=f"{command.name} {max(param.opts, key=len)}"
                )


@pytest.mark.parametrize(("name", "option"), list(_options()))
def test_every_option_of_every_command_needs_a_value(kn_lambda, fake_platform, name, option):
    command = [] if name == cli.name else [name]
    for flag in option.opts:
        result = kn_lambda(*command, flag, "", *(["list"] if not command else []))
        assert result.exit_code == ExitCode.USAGE, result.output
        assert f"{max(option.opts, key=len)} is empty" in result.stderr
    assert fake_platform.http.sent == []


@pytest.mark.parametrize("given", [["--name="], ["--env", "A=1", "-e", ""], ["--home="]])
def test_no_way_to_write_it_escapes(kn_lambda, tmp_path, given):
    (tmp_path / "main.py").touch()
    result = kn_lambda("deploy", str(tmp_path), *given)
    assert result.exit_code == ExitCode.USAGE
    assert "is empty" in result.stderr


def test_an_empty_variable_means_the_default(kn_lambda, monkeypatch):
    monkeypatch.setenv("KN_LAMBDA_INGRESS_URL", "")
    assert "is empty" not in kn_lambda("invoke", "hello").stderr


def test_data_may_be_empty_and_so_may_the_value_of_a_variable(kn_lambda, tmp_path):
    assert kn_lambda("invoke", "hello", "--data", "").exit_code == ExitCode.NOT_FOUND
    result = kn_lambda("deploy", str(tmp_path), "--env", "DEBUG=", "--no-wait")
    assert "is empty" not in result.stderr
