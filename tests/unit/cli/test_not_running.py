"""What every command says while the embedded platform that it is meant for does not run."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import click
import pytest
from click.testing import CliRunner

from kn_lambda.errors import ExitCode
from kn_lambda.main import cli
from lambda_embedded.data_folder import DataFolder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from click.testing import Result

# These start, stop or describe a platform, or need none.
_OF_THEIR_OWN = {
    "up",
    "down",
    "status",
    "init",
    "run",
    "demo",
    "version",
    "completion",
    "uninstall",
}
_CONTEXT = click.Context(cli)
_COMMANDS = [name for name in cli.list_commands(_CONTEXT) if name not in _OF_THEIR_OWN]
# Without these, the command has nothing to do.
_NEEDED = {
    "send": ("--type", "com.example.greeting"),
    "set": ("--env", "COLOUR=blue"),
    "rebuild": ("--all",),
    "tenant": ("list",),
}
_HOLDER = (
    "import sys, pathlib\n"
    "from lambda_embedded.data_folder import DataFolder\n"
    "with DataFolder(pathlib.Path(sys.argv[1])).lock():\n"
    "    print('locked', flush=True)\n"
    "    sys.stdin.read()\n"
)


@pytest.fixture
def home(tmp_path: Path) -> DataFolder:
    """The data folder of a platform that ran before and listened on a port of ours."""
    folder = DataFolder(tmp_path / "my home")
    folder.create()
    cluster = {"server": "https://127.0.0.1:9", "certificate-authority-data": "QQ=="}
    user = {"tokenFile": str(folder.token)}
    config = {
        "clusters": [{"name": "e", "cluster": cluster}],
        "users": [{"name": "e", "user": user}],
        "contexts": [{"name": "e", "context": {"cluster": "e", "user": "e"}}],
        "current-context": "e",
    }
    folder.kubeconfig.write_text(json.dumps(config))
    folder.token.write_text("secret-token")
    with folder.lock():
        pass  # it leaves its pid behind, as a process that was killed does
    return folder


@pytest.fixture
def run(home: DataFolder, tmp_path: Path) -> Callable[..., Result]:
    source = tmp_path / "main.py"
    source.touch()

    def run(name: str, *options: str, **environment: str | None) -> Result:
        command = cli.get_command(_CONTEXT, name)
        assert command is not None
        required = [p for p in command.params if isinstance(p, click.Argument) and p.required]
        arguments = [str(source)] if name == "deploy" else ["hello" for _ in required]
        arguments += _NEEDED.get(name, ())
        variables = {"KN_LAMBDA_HOME": str(home.root), "KUBECONFIG": None, **environment}
        return CliRunner(env=variables).invoke(cli, [name, *arguments, *options])

    return run


def assert_it_says_how_to_start(result: Result, home: DataFolder) -> None:
    assert result.exit_code == ExitCode.UNREACHABLE, result.output
    said = " ".join(result.output.split())
    assert f"the platform in {home.root} is not running" in said
    assert f"kn-lambda up --home '{home.root}'" in said
    assert "Traceback" not in said
    assert "secret-token" not in said


@pytest.mark.parametrize("name", _COMMANDS)
def test_a_command_says_how_to_start_the_platform(name: str, run: Callable, home: DataFolder):
    assert_it_says_how_to_start(run(name), home)


@pytest.mark.parametrize("name", _COMMANDS)
def test_facts_that_a_killed_platform_left_behind_mislead_nobody(
    name: str, run: Callable, home: DataFolder
):
    home.publish({"pid": 1, "urls": {"api": "https://127.0.0.1:9"}})
    assert_it_says_how_to_start(run(name), home)


@pytest.mark.parametrize("name", sorted(set(_COMMANDS) - {"events"}))
@pytest.mark.parametrize("by", ["--context", "KUBECONFIG"])
def test_a_copy_of_its_kubeconfig_says_the_same(
    name: str, by: str, run: Callable, home: DataFolder, tmp_path: Path
):
    copy = tmp_path / "copy"
    copy.write_text(home.kubeconfig.read_text())
    variables = {"KN_LAMBDA_HOME": str(tmp_path / "nothing"), "KUBECONFIG": str(copy)}
    options = ("--context", "e") if by == "--context" else ()
    assert_it_says_how_to_start(run(name, *options, **variables), home)


@pytest.fixture
def starting(home: DataFolder) -> Iterator[None]:
    """Another process that holds the lock, as a platform does before it is ready."""
    command = [sys.executable, "-c", _HOLDER, str(home.root)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"locked\n"
        yield


@pytest.mark.usefixtures("starting")
def test_a_platform_that_is_not_ready_yet_is_not_started_again(run: Callable):
    result = run("list")
    assert result.exit_code == ExitCode.UNREACHABLE
    assert "is starting or stopping" in result.output
    assert "kn-lambda up" not in result.output


def test_a_home_where_none_ever_ran_names_itself_in_the_way_out(run: Callable, tmp_path: Path):
    result = run("list", KN_LAMBDA_HOME=str(tmp_path / "none"))
    assert result.exit_code == ExitCode.UNREACHABLE
    assert f"kn-lambda up --home {tmp_path / 'none'}" in result.output
