"""`python -m lambda_builder.fetch <program>` becomes that program, which learns nothing of it."""

from __future__ import annotations

import json
import signal
import socket
import sys
import time

import pytest

from lambda_builder.settings import FETCH_VARIABLES
from tests.helpers.archives import tar_bytes, tar_member
from tests.helpers.builder_programs import assert_failed, finish, run, start
from tests.helpers.workspaces import write_runtime
from tests.integration.builder.helpers.fetching import ARCHIVE, settings

BUILD = ("python", "-m", "lambda_builder.build")
SHOW = """
import json, os, pathlib, signal, sys
print(json.dumps({
    "environ": dict(os.environ),
    "raw": pathlib.Path("/proc/self/environ").read_text(),
    "arguments": pathlib.Path("/proc/self/cmdline").read_text(),
    "files": sorted(os.listdir("/proc/self/fd"))[:-1],
    "pid": os.getpid(),
    "python": sys.executable,
    "default_signals": signal.getsignal(signal.SIGTERM) == signal.SIG_DFL,
}))
sys.exit(7)
"""
# What code of others can do: look at every process that it may look at.
SEARCH = """
for process in /proc/[0-9]*; do
    if tr '\\0' '\\n' < $process/environ 2> /dev/null | grep -q '^BUILD_WORKSPACE='"$PARENT"; then
        echo seen; tr '\\0' '\\n' < $process/environ
    fi
done
exit 0
"""


@pytest.fixture
def context(tmp_path):
    """Settings of a fetch that works."""
    (tmp_path / "context").write_bytes(ARCHIVE)
    return settings(f"file://{tmp_path}/context?X-Signature=secret")


def touching(folder):
    """A program that leaves a file, and where that is."""
    path = folder / "went-on"
    return ("python", "-c", f"open({str(path)!r}, 'w').close()"), path


def building(folder, script):
    write_runtime(folder / "runtimes", script=script)
    return {
        "RUNTIME": "tiny1.0",
        "RUNTIMES_DIR": str(folder / "runtimes"),
        "BUILD_TIMEOUT_SECONDS": "20",
    }


def test_the_next_program_has_the_environment_without_what_was_for_fetch(tmp_path, context):
    process = start("fetch", tmp_path, context | {"OF": "build"}, then=("python", "-c", SHOW))
    ended = finish(process, tmp_path)
    seen = json.loads(ended.output)
    assert "secret" not in ended.output
    assert not FETCH_VARIABLES & seen["environ"].keys()
    assert not [name for name in FETCH_VARIABLES if name in seen["raw"]]
    assert (seen["environ"]["OF"], seen["environ"]["BUILD_WORKSPACE"]) == (
        "build",
        str(tmp_path / "workspace"),
    )
    # The same process, of which nothing but this is left.
    assert seen["pid"] == process.pid
    assert seen["files"] == ["0", "1", "2"]
    assert "fetch" not in seen["arguments"]
    assert seen["default_signals"]


def test_how_the_next_program_ends_is_how_the_container_ends(tmp_path, context):
    ended = run("fetch", tmp_path, context, then=("python", "-c", SHOW))
    assert (ended.exit_code, ended.message) == (7, {})
    assert (tmp_path / "workspace/source/main.py").is_file()


def test_python_is_the_one_that_runs_whatever_the_path_says(tmp_path, context):
    ended = run("fetch", tmp_path, context | {"PATH": "/nowhere"}, then=("python", "-c", SHOW))
    assert json.loads(ended.output)["python"] == sys.executable


def test_any_other_program_is_found_by_its_path(tmp_path, context):
    ended = run("fetch", tmp_path, context, then=("env",))
    assert ended.exit_code == 0
    assert "BUILD_WORKSPACE=" in ended.output
    assert "CONTEXT" not in ended.output


def test_fetch_and_build_in_one_container_leave_what_they_leave_in_two(tmp_path, context):
    script = 'ls "$SOURCE_DIR"; echo package > "$PACKAGES_DIR/p"'
    ended = run("fetch", tmp_path, context | building(tmp_path, script), then=BUILD)
    assert (ended.exit_code, ended.message) == (0, {}), ended
    assert ended.output.split() == ["lib", "main.py"]
    assert sorted(path.name for path in (tmp_path / "workspace").iterdir()) == [
        "packages",
        "source",
    ]


def test_code_of_others_finds_the_url_in_no_process(tmp_path, context):
    script = SEARCH.replace('"$PARENT"', f"{tmp_path}/workspace")
    ended = run("fetch", tmp_path, context | building(tmp_path, script), then=BUILD)
    assert ended.exit_code == 0, ended
    assert "seen" in ended.output
    assert "CONTEXT" not in ended.output
    assert "secret" not in ended.output


def test_a_build_that_fails_says_so_after_a_fetch_that_said_nothing(tmp_path, context):
    values = context | building(tmp_path, "") | {"RUNTIME": "cobol60"}
    assert_failed(run("fetch", tmp_path, values, then=BUILD), 1, "UnsupportedRuntime")


def test_a_fetch_of_the_users_mistake_does_not_go_on(tmp_path):
    content = tar_bytes(tar_member("../evil"))
    (tmp_path / "context").write_bytes(content)
    program, went_on = touching(tmp_path)
    ended = run("fetch", tmp_path, settings(f"file://{tmp_path}/context", content), then=program)
    assert_failed(ended, 1, "UnsafeArchive")
    assert not went_on.exists()


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"CONTEXT_URL": "file:///absent"}, "ContextUnavailable"),
        ({"CONTEXT_SHA256": "0" * 64}, "ContextChecksumMismatch"),
        ({"CONTEXT_MAX_BYTES": ""}, "InvalidSettings"),
    ],
)
def test_a_fetch_in_trouble_does_not_go_on(tmp_path, context, changes, reason):
    program, went_on = touching(tmp_path)
    assert_failed(run("fetch", tmp_path, context | changes, then=program), 75, reason)
    assert not went_on.exists()


def test_a_next_program_that_is_not_there_is_told(tmp_path, context):
    ended = run("fetch", tmp_path, context, then=("no-such-program",))
    assert_failed(ended, 75, "BuilderBug")


def test_sigterm_during_the_fetch_ends_it_there(tmp_path, context):
    program, went_on = touching(tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        process = start("fetch", tmp_path, context | {"CONTEXT_URL": url}, then=program)
        connection, _ = silent.accept()
        with connection:
            process.send_signal(signal.SIGTERM)
            assert_failed(finish(process, tmp_path), 75, "Interrupted")
    assert not went_on.exists()


def test_sigterm_while_one_becomes_the_other_waits_for_the_other(tmp_path, context):
    slow = (
        "import sys, time; print('starts', flush=True); time.sleep(0.3)\n"
        "from lambda_builder.program import run_program\n"
        "sys.exit(run_program(lambda _: time.sleep(60)))"
    )
    process = start("fetch", tmp_path, context, then=("python", "-c", slow))
    assert process.stdout.readline() == "starts\n"
    process.send_signal(signal.SIGTERM)
    assert_failed(finish(process, tmp_path), 75, "Interrupted")


def test_sigterm_after_it_ends_the_build_and_its_recipe(tmp_path, context):
    values = context | building(tmp_path, "echo ready; exec sleep 300")
    process = start("fetch", tmp_path, values, then=BUILD)
    assert process.stdout.readline() == "ready\n"
    process.send_signal(signal.SIGTERM)
    assert_failed(finish(process, tmp_path), 75, "Interrupted")


@pytest.mark.parametrize("milliseconds", range(0, 300, 20))
def test_sigterm_at_any_moment_is_obeyed(tmp_path, context, milliseconds):
    process = start("fetch", tmp_path, context | building(tmp_path, "exec sleep 300"), then=BUILD)
    time.sleep(milliseconds / 1000)
    process.terminate()
    # Before fetch has set its handlers, the signal just ends it; never after.
    assert finish(process, tmp_path).exit_code in {75, -signal.SIGTERM}
