from __future__ import annotations

import subprocess
import sys

import pytest
from click import Context
from click.testing import CliRunner

from kn_lambda import __version__
from kn_lambda.errors import ExitCode, as_command_error
from kn_lambda.main import _COMMANDS, cli
from knative_lambda.adapters.kubernetes.errors import NotFoundError
from knative_lambda.domain.errors import (
    InvalidEventError,
    PlatformUnavailableError,
    StorageUnavailableError,
)


def test_help_shows_the_commands_but_not_those_for_us_alone(kn_lambda):
    result = kn_lambda("--help")
    assert result.exit_code == ExitCode.OK
    for name in ("up", "init", "deploy", "list", "describe", "invoke", "logs", "events", "delete"):
        assert f"\n  {name} " in result.stdout


@pytest.mark.parametrize(("name", "summary"), _COMMANDS.items())
def test_the_list_of_commands_says_of_each_what_its_own_help_says_first(name, summary):
    command = cli.get_command(Context(cli), name)
    assert (command.help or "").splitlines()[0] == summary


def test_the_list_of_commands_imports_none_of_them():
    code = (
        "import contextlib, sys; sys.argv[1:] = ['--help']; from kn_lambda.main import main\n"
        "with contextlib.suppress(SystemExit): main()\n"
        "loaded = [name for name in sys.modules if name.startswith('kn_lambda.commands.')]\n"
        "sys.exit(str(loaded) if loaded or 'typing_extensions' in sys.modules else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("name", cli.list_commands(Context(cli)))
def test_every_command_can_print_json(name):
    options = cli.get_command(Context(cli), name).params
    (output,) = [option for option in options if option.name == "output"]
    assert "json" in output.type.choices


@pytest.mark.parametrize("command", [("list",), ("describe", "hello"), ("deploy", ".")])
def test_a_namespace_that_cannot_be_is_wrong_usage(kn_lambda, command):
    result = kn_lambda("-n", "Not One", *command)
    assert result.exit_code == ExitCode.USAGE
    assert "'Not One': namespace must be lower-case" in result.stderr


def test_a_misspelt_command_is_wrong_usage_and_the_right_one_is_named(kn_lambda):
    result = kn_lambda("lst")
    assert result.exit_code == ExitCode.USAGE
    assert "list" in result.stderr


@pytest.mark.parametrize(
    "arguments", [("-n", "team-a", "list", "-o", "name"), ("list", "-o", "name", "-n", "team-a")]
)
def test_an_option_may_stand_before_or_after_the_command(kn_lambda, fake_platform, arguments):
    fake_platform.put_record("theirs", namespace="team-a")
    fake_platform.put_record("ours")
    assert kn_lambda(*arguments).stdout == "lambdafunction.knative-lambda.dev/theirs\n"


def test_an_option_after_the_command_goes_before_one_in_front_of_it(kn_lambda, fake_platform):
    fake_platform.put_record("theirs", namespace="team-a")
    result = kn_lambda("-n", "team-b", "list", "-n", "team-a", "-o", "name")
    assert result.stdout == "lambdafunction.knative-lambda.dev/theirs\n"


@pytest.mark.parametrize(
    ("error", "exit_code"),
    [
        (PlatformUnavailableError("no answer"), ExitCode.UNREACHABLE),
        (NotFoundError("nothing there"), ExitCode.NOT_FOUND),
        (StorageUnavailableError("no answer"), ExitCode.FAILED),
        (InvalidEventError("wrong", field="time"), ExitCode.FAILED),
        (KeyError("a bug"), ExitCode.FAILED),
    ],
    ids=lambda value: type(value).__name__,
)
def test_every_error_has_its_exit_code(error, exit_code):
    assert as_command_error(error).exit_code == exit_code


def test_a_bug_shows_no_traceback_but_with_verbose(kn_lambda, fake_platform):
    del fake_platform.api.objects
    quiet = kn_lambda("list")
    loud = kn_lambda("list", "-v")
    assert quiet.exit_code == loud.exit_code == ExitCode.FAILED
    assert "Traceback" not in quiet.output
    assert "AttributeError" in quiet.stderr
    assert "Traceback" in loud.stderr


def test_the_version_is_there_without_a_platform(kn_lambda):
    result = kn_lambda("--version")
    assert (result.exit_code, result.stdout) == (ExitCode.OK, f"kn-lambda {__version__}\n")
    assert kn_lambda("version").stdout == result.stdout


def test_colour_is_for_terminals_only(kn_lambda):
    assert "\x1b[" not in kn_lambda("describe", "nothing").output


def test_a_dead_cluster_is_described_in_the_words_of_the_system(tmp_path):
    kubeconfig = tmp_path / "kubeconfig"
    kubeconfig.write_text(
        "{clusters: [{name: c, cluster: {server: 'http://127.0.0.1:1'}}],"
        " users: [{name: u, user: {token: secret}}],"
        " contexts: [{name: c, context: {cluster: c, user: u}}]}"
    )
    done = CliRunner().invoke(cli, ["list", "--kubeconfig", str(kubeconfig), "--context", "c"])
    assert done.exit_code == ExitCode.UNREACHABLE
    assert "(Connection refused)" in done.stderr
    assert "kn-lambda doctor" in done.stderr
