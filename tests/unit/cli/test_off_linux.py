"""On other systems than Linux, all but the embedded platform works."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from kn_lambda.errors import CommandError, ExitCode
from kn_lambda.linux import require_linux
from tests.helpers.dev_overlay import REPOSITORY


def test_commands_for_a_cluster_need_no_module_of_unix_alone(tmp_path):
    source = tmp_path / "source"
    source.mkdir()
    (source / "main.py").write_text("def handler(event): ...\n")
    lines = [
        "version",
        f"init {tmp_path}/new",
        "list",
        "describe hello",
        "events",
        f"deploy {source} --name hello --no-wait",
        "delete nothing",
    ]
    done = subprocess.run(
        [sys.executable, "-m", "tests.unit.cli.helpers.off_linux", *lines],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    found = [json.loads(line) for line in done.stdout.splitlines()]
    for line, result in zip(lines, found, strict=True):
        assert result["code"] == ExitCode.OK, (line, result["output"])


@pytest.mark.parametrize("system", ["darwin", "win32", "freebsd14"])
def test_what_only_linux_can_do_says_so_and_what_works_instead(system, monkeypatch):
    monkeypatch.setattr("sys.platform", system)
    with pytest.raises(CommandError, match="kn-lambda up works on Linux only") as caught:
        require_linux("kn-lambda up")
    assert "virtual machine" in caught.value.hint
    assert "--context" in caught.value.hint


@pytest.mark.skipif(sys.platform != "linux", reason="this is another system")
def test_on_linux_nothing_is_said():
    require_linux("kn-lambda up")


@pytest.mark.parametrize("command", [["up"], ["up", "-d"], ["down"], ["demo"], ["run"]])
def test_the_embedded_platform_asks_for_linux(kn_lambda, monkeypatch, command):
    monkeypatch.setattr("sys.platform", "darwin")
    result = kn_lambda(*command)
    assert result.exit_code == ExitCode.FAILED
    assert f"kn-lambda {command[0]} works on Linux only" in result.stderr
