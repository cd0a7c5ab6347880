"""Packages are built after the download, by a program that has neither credentials nor network."""

from __future__ import annotations

import ctypes
import json
import os
import sys

import pytest

from tests.helpers.builder_programs import assert_failed, finish, run, start
from tests.helpers.workspaces import write_runtime
from tests.integration.builder.helpers.jobs import job_settings, result

CANARY = f"canary-{os.getpid()}"  # other test processes run such builds beside this one
SECRETS = {
    "RESULT_FIELDS": json.dumps({"policy": CANARY}),
    "PACKAGE_INDEX_URL": f"http://{CANARY}/simple",
    "PACKAGE_INDEX_CREDENTIALS": json.dumps({"username": CANARY, "password": CANARY}),
    "HTTPS_PROXY": f"http://user:{CANARY}@127.0.0.1:9",
}


@pytest.fixture
def build(tmp_path):
    """Settings for a Job with a recipe and a source recipe, which are shell scripts."""

    def prepare(script: str, source_script: str, **changes: str) -> dict[str, str]:
        recipe = ["sh", "-c", source_script]
        write_runtime(tmp_path / "runtimes", script=script, source_recipe=recipe)
        changes = {"ALLOW_SOURCE_PACKAGES": "true"} | changes
        return job_settings(tmp_path, script, **changes)

    return prepare


def test_it_builds_what_the_recipe_left_in_the_downloads(tmp_path, build):
    settings = build(
        'echo sdist > "$DOWNLOADS_DIR/p.tar.gz"; echo wheel > "$PACKAGES_DIR/w"',
        'cp "$DOWNLOADS_DIR/p.tar.gz" "$PACKAGES_DIR/built"; pwd',
    )
    ended = run("packages", tmp_path, settings)
    assert ended.exit_code == 0, ended
    assert result(tmp_path) == {"packages/w": b"wheel\n", "packages/built": b"sdist\n"}
    assert ended.output == f"{tmp_path}/runtimes/tiny\n"
    assert ended.errors == "Packing what was installed\nSending 10 kB of packages\n"


@pytest.mark.parametrize("allowed", ["false", ""])
def test_without_the_policy_s_leave_nothing_is_built(tmp_path, build, allowed):
    settings = build("true", "echo built", ALLOW_SOURCE_PACKAGES=allowed)
    ended = run("packages", tmp_path, settings)
    assert (ended.exit_code, ended.output) == (0, "")


def test_its_environment_has_no_secret(tmp_path, build):
    ended = run("packages", tmp_path, build("env", "echo --; env") | SECRETS)
    download, _, source = ended.output.partition("--\n")
    assert CANARY in download
    assert CANARY not in source
    assert {line.partition("=")[0] for line in source.splitlines()} >= {"HOME", "DOWNLOADS_DIR"}


def test_it_finds_nothing_of_the_download_s_home(tmp_path, build):
    settings = build(
        f'for folder in "$HOME" "$TMPDIR"; do echo {CANARY} > "$folder/netrc"; done; sleep 300 &',
        f'grep -r {CANARY} "$(dirname "$SOURCE_DIR")"; ls "$HOME" "$TMPDIR"',
    )
    ended = run("packages", tmp_path, settings)
    assert ended.exit_code == 0, ended
    assert CANARY not in ended.output


def test_it_cannot_say_that_hashes_named_everything(tmp_path, build):
    says = """printf '%s' '{"pinned": true}' > "$RESULT_FILE" """
    assert run("packages", tmp_path, build("true", says)).message == {"pinned": False}
    (tmp_path / "results/result").unlink()
    assert run("packages", tmp_path, build(says, "true")).message == {"pinned": True}


def test_its_own_reason_and_message_are_passed_on(tmp_path, build):
    says = """printf '%s' '{"reason": "BuildFailed", "message": "no compiler"}' > "$RESULT_FILE" """
    ended = run("packages", tmp_path, build("true", says + "; exit 1"))
    assert assert_failed(ended, 1, "BuildFailed") == "no compiler"


def test_it_has_no_network(tmp_path, build):
    ended = run("packages", tmp_path, build("true", 'python -c "import socket; socket.socket()"'))
    assert_failed(ended, 1, "PackageBuildFailed")
    assert "Operation not permitted" in ended.output


def test_what_it_left_running_is_ended_before_the_result_is_packed(tmp_path, build):
    away = (
        "python -c 'import os, time; os.fork() and os._exit(0); os.setsid();"
        ' open(os.environ["PACKAGES_DIR"] + "/pid", "w").write(str(os.getpid()));'
        " time.sleep(300)';"
        ' while ! [ -s "$PACKAGES_DIR/pid" ]; do sleep 0.01; done'
    )
    assert run("packages", tmp_path, build("true", away)).exit_code == 0
    pid = result(tmp_path)["packages/pid"].decode()
    assert not os.path.exists(f"/proc/{pid}")  # noqa: PTH110 - no file of ours


def without_capabilities():
    """What root of a container is: nobody who may look into all processes."""
    library = ctypes.CDLL(None)
    for capability in range(64):
        library.prctl(24, capability, 0, 0, 0)


SPY = f"""
import ctypes, os, pathlib, re, sys
found, parent = [], os.getppid()
status = pathlib.Path(f"/proc/{{parent}}/status").read_text()
assert "python" in re.search("Name:\\\\s*(.*)", status)[1]
for name in ("environ", "mem", "maps", "auxv", "cwd", "root", "exe", "fd/0", "map_files"):
    try:
        path = f"/proc/{{parent}}/{{name}}"
        os.listdir(path) if name == "map_files" else open(path, "rb").read(1)
        found.append(name)
    except OSError as error:
        pass
libc = ctypes.CDLL(None, use_errno=True)
if libc.ptrace(16, parent, 0, 0) != -1:
    found.append("ptrace")
buffer = ctypes.create_string_buffer(8)
vector = (ctypes.c_ulong * 2)(ctypes.addressof(buffer), 8)
if libc.process_vm_readv(parent, vector, 1, vector, 1, 0) != -1 or ctypes.get_errno() != 1:
    found.append("process_vm_readv")
for process in pathlib.Path("/proc").glob("[0-9]*"):
    try:
        if b"{CANARY}" in (process / "environ").read_bytes():
            found.append(str(process))
    except OSError:
        pass
print("found", found)
"""


@pytest.mark.parametrize("where", ["download", "build"])
def test_no_step_reads_the_memory_or_the_environment_of_the_program(tmp_path, build, where):
    (tmp_path / "spy.py").write_text(SPY)
    spy = f'exec "{sys.executable}" -I {tmp_path}/spy.py'
    scripts = (spy, "true") if where == "download" else ("true", spy)
    settings = build(*scripts) | {"RESULT_FIELDS": SECRETS["RESULT_FIELDS"]}
    process = start("packages", tmp_path, settings, preexec_fn=without_capabilities)
    ended = finish(process, tmp_path)
    assert ended.exit_code == 0, ended
    assert ended.output == "found []\n"
