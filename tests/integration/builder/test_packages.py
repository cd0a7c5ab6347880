"""`python -I -m lambda_builder.packages` runs a recipe, of which nothing outlives it."""

from __future__ import annotations

import json
import signal
import time
from pathlib import Path

import pytest

from tests.helpers.builder_programs import assert_failed, finish, run, start
from tests.helpers.workspaces import write_files, write_runtime
from tests.integration.builder.helpers.jobs import job_settings, result

RESULT = '{"reason": "PackageNotFound", "message": "no package nope"}'
FAIL = f"""printf '%s' '{RESULT}' > "$RESULT_FILE"; exit """
# Leaves the number of a process that would outlive a recipe nobody watches.
IN_BACKGROUND = 'sleep 300 & echo $! > "$SOURCE_DIR/../pid"; '


# One that leaves its process group and its session, and whose parent ends.
AWAY = (
    "python -c 'import os, time; os.fork() and os._exit(0); os.setsid(); os.fork() and os._exit(0);"
    ' open(os.environ["SOURCE_DIR"] + "/../pid", "w").write(str(os.getpid())); time.sleep(300)\';'
    ' while ! [ -s "$SOURCE_DIR/../pid" ]; do sleep 0.01; done; '
)


@pytest.fixture
def build(tmp_path):
    """Settings for a Job whose recipe is this shell script."""

    def prepare(script: str, **changes: str) -> dict[str, str]:
        return job_settings(tmp_path, script, **changes)

    return prepare


def is_alive(folder: Path) -> bool:
    status = Path("/proc") / (folder / "workspace/pid").read_text().strip() / "status"
    return status.exists() and "State:\tZ" not in status.read_text()


def wait_until(condition) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline, "it did not happen within 10 s"
        time.sleep(0.02)


def workspace_names(folder):
    return sorted(path.name for path in (folder / "workspace").iterdir())


def test_what_a_recipe_installed_is_left_in_storage(tmp_path, build):
    script = 'cat "$SOURCE_DIR/main.txt" > "$PACKAGES_DIR/p"; echo "p==1" > "$LOCK_FILE"'
    ended = run("packages", tmp_path, build(script))
    assert (ended.exit_code, ended.message) == (0, {"pinned": False}), ended
    assert result(tmp_path) == {"packages/p": b"hello", "lock.txt": b"p==1\n"}
    # Only what the recipe was given, and what it made, is still there.
    assert workspace_names(tmp_path) == ["lock.txt", "packages", "source"]
    assert [path.name for path in (tmp_path / "results").iterdir()] == ["result"]


def test_equal_packages_are_equal_bytes(tmp_path, build):
    settings = build(
        'mkdir "$PACKAGES_DIR/d"; date +%N > "$TMPDIR/t"; echo a > "$PACKAGES_DIR/d/a"'
    )
    results = []
    for _ in range(2):
        run("packages", tmp_path, settings)
        results.append((tmp_path / "results/result").read_bytes())
    assert results[0] == results[1]


def test_where_nothing_was_installed_the_archive_is_empty(tmp_path, build):
    assert run("packages", tmp_path, build('echo "p==1" > "$LOCK_FILE"')).exit_code == 0
    assert result(tmp_path) == {}


@pytest.mark.parametrize(
    ("said", "pinned"),
    [
        ('{"pinned": true}', True),
        ('{"pinned": false}', False),
        ('{"pinned": "true"}', False),
        ("[1]", False),
        ("no json", False),
        ('{"reason": "A", "message": "b"}', False),
    ],
)
def test_a_recipe_says_whether_hashes_named_everything(tmp_path, build, said, pinned):
    ended = run("packages", tmp_path, build(f"""printf '%s' '{said}' > "$RESULT_FILE" """))
    assert (ended.exit_code, ended.message) == (0, {"pinned": pinned}), ended


def test_packages_over_the_limit_are_the_user_s_mistake(tmp_path, build):
    settings = build('truncate -s 10G "$PACKAGES_DIR/zeros"')
    assert "1000000" in assert_failed(run("packages", tmp_path, settings), 1, "PackagesTooLarge")
    assert not (tmp_path / "results").exists()
    assert ".result" not in workspace_names(tmp_path)


def test_a_link_that_leads_out_of_the_packages_is_the_user_s_mistake(tmp_path, build):
    settings = build('ln -s /etc/passwd "$PACKAGES_DIR/link"')
    message = assert_failed(run("packages", tmp_path, settings), 1, "UnsupportedFile")
    assert "packages/link" in message


@pytest.mark.parametrize(
    "script",
    [
        'rmdir "$PACKAGES_DIR"; ln -s "$SOURCE_DIR" "$PACKAGES_DIR"',
        'echo x > "$PACKAGES_DIR/p"; ln -s /etc/passwd "$LOCK_FILE"',
    ],
)
def test_links_in_place_of_packages_or_lock_are_not_followed(tmp_path, build, script):
    assert run("packages", tmp_path, build(script)).exit_code == 0
    assert set(result(tmp_path)) <= {"packages/p"}


def test_a_recipe_starts_clean_when_the_job_is_run_again(tmp_path, build):
    settings = build(
        'ls "$PACKAGES_DIR" "$HOME" "$TMPDIR" "$DOWNLOADS_DIR";'
        ' touch "$PACKAGES_DIR/p" "$HOME/h" "$DOWNLOADS_DIR/d"'
    )
    first, second = run("packages", tmp_path, settings), run("packages", tmp_path, settings)
    assert (first.exit_code, first.output) == (0, second.output)


def test_a_recipe_s_output_is_the_log(tmp_path, build):
    ended = run("packages", tmp_path, build("echo to stdout; echo to stderr >&2; pwd"))
    assert ended.output.splitlines() == ["to stdout", "to stderr", str(tmp_path / "runtimes/tiny")]


def test_a_recipe_s_output_comes_while_it_runs(tmp_path, build):
    process = start("packages", tmp_path, build("echo first; exec sleep 300"))
    try:
        assert process.stdout.readline() == "first\n"
    finally:
        process.terminate()
        finish(process, tmp_path)


def test_a_recipe_gets_the_environment_of_the_contract_alone(tmp_path, build):
    settings = build("env", SECRET="x", PACKAGE_INDEX_URL="http://127.0.0.1:9/simple")
    secrets = {"CONTEXT_URL", "RESULT_URL", "RESULT_FIELDS", "PACKAGE_INDEX_CREDENTIALS"}
    settings["PACKAGE_INDEX_CREDENTIALS"] = '{"username": "u", "password": "hunter2"}'
    names = {
        line.partition("=")[0] for line in run("packages", tmp_path, settings).output.splitlines()
    }
    assert {"SOURCE_DIR", "PACKAGES_DIR", "LOCK_FILE", "RUNTIME_VERSION", "RESULT_FILE"} <= names
    assert {"HOME", "TMPDIR", "PATH", "PACKAGE_INDEX_URL", "DOWNLOADS_DIR"} <= names
    assert {"PACKAGE_INDEX_USERNAME", "PACKAGE_INDEX_PASSWORD"} <= names
    assert not ({"SECRET", "BUILD_WORKSPACE", "TERMINATION_MESSAGE_PATH"} | secrets) & names


@pytest.mark.parametrize("status", [1, 75])
def test_a_recipe_s_own_reason_and_message_are_passed_on(tmp_path, build, status):
    ended = run("packages", tmp_path, build(FAIL + str(status)))
    assert assert_failed(ended, status, "PackageNotFound") == "no package nope"


@pytest.mark.parametrize(
    "script",
    [
        "exit 1",
        "exit 3",
        FAIL + "2",
        'echo "no json" > "$RESULT_FILE"; exit 1',
        'echo "[1]" > "$RESULT_FILE"; exit 1',
        """echo '{"reason": "not camel", "message": "x"}' > "$RESULT_FILE"; exit 1""",
        'ln -s /etc/passwd "$RESULT_FILE"; exit 1',
        'mkfifo "$RESULT_FILE"; exit 1',
    ],
)
def test_a_recipe_that_breaks_its_contract_is_the_platform_s_trouble(tmp_path, build, script):
    assert_failed(run("packages", tmp_path, build(script)), 75, "RecipeFailed")


def test_a_recipe_that_was_killed_is_the_platform_s_trouble(tmp_path, build):
    message = assert_failed(run("packages", tmp_path, build("kill -9 $$")), 75, "RecipeKilled")
    assert "memory" in message


def test_a_long_message_of_an_installer_is_cut_to_fit(tmp_path, build):
    result = json.dumps({"reason": "PackageNotFound", "message": "line\n" * 4000})
    write_files(tmp_path, {"result": result})
    ended = run("packages", tmp_path, build(f'cp {tmp_path}/result "$RESULT_FILE"; exit 1'))
    assert ended.message["message"].startswith("line\nline")
    assert len((tmp_path / "termination").read_bytes()) <= 4096


def test_a_recipe_that_hangs_ends_with_all_it_started(tmp_path, build):
    started = time.monotonic()
    settings = build(IN_BACKGROUND + "wait", BUILD_TIMEOUT_SECONDS="1")
    message = assert_failed(run("packages", tmp_path, settings), 1, "BuildTimeout")
    assert "1 second" in message
    assert time.monotonic() - started < 10
    assert not is_alive(tmp_path)


@pytest.mark.parametrize("away", [IN_BACKGROUND, AWAY], ids=["same group", "another session"])
def test_what_a_recipe_left_running_is_ended(tmp_path, build, away):
    ended = run("packages", tmp_path, build(away + "exit 0"))
    assert ended.exit_code == 0
    assert not is_alive(tmp_path)


def test_sigterm_ends_the_recipe_and_the_step(tmp_path, build):
    process = start("packages", tmp_path, build(IN_BACKGROUND + "echo ready; wait"))
    assert process.stdout.readline() == "ready\n"
    process.send_signal(signal.SIGTERM)
    assert_failed(finish(process, tmp_path), 75, "Interrupted")
    assert not is_alive(tmp_path)
    assert "source" in workspace_names(tmp_path)


@pytest.mark.parametrize("milliseconds", range(0, 120, 10))
def test_sigterm_at_any_moment_leaves_nothing_running(tmp_path, build, milliseconds):
    process = start("packages", tmp_path, build('echo $$ > "$SOURCE_DIR/../pid"; exec sleep 300'))
    time.sleep(milliseconds / 1000)
    process.terminate()
    ended = finish(process, tmp_path)
    # Before the program has set its handlers, the signal just ends it.
    assert ended.exit_code in {75, -signal.SIGTERM}
    assert not (tmp_path / "workspace/pid").exists() or not is_alive(tmp_path)


def test_kill_9_of_the_step_ends_the_recipe_too(tmp_path, build):
    process = start("packages", tmp_path, build(IN_BACKGROUND + "echo ready; wait"))
    assert process.stdout.readline() == "ready\n"
    process.kill()
    finish(process, tmp_path)
    wait_until(lambda: not is_alive(tmp_path))


@pytest.mark.parametrize("attempt", range(5))
def test_a_step_that_is_killed_at_the_first_word_of_its_recipe_leaves_nothing(
    tmp_path, build, attempt
):
    finish(start("packages", tmp_path, build(IN_BACKGROUND + "kill -9 $PPID; wait")), tmp_path)
    wait_until(lambda: not is_alive(tmp_path))


def test_an_unknown_runtime_is_the_user_s_mistake(tmp_path, build):
    ended = run("packages", tmp_path, build("") | {"RUNTIME": "cobol60"})
    assert "tiny1.0" in assert_failed(ended, 1, "UnsupportedRuntime")


def test_a_recipe_that_is_not_there_is_told(tmp_path, build):
    settings = build("")
    write_runtime(tmp_path / "runtimes", recipe=["no-such-program"])
    assert_failed(run("packages", tmp_path, settings), 75, "RecipeFailed")


def test_an_unforeseen_error_has_a_reason_and_a_traceback(tmp_path, build):
    settings = build("")
    (tmp_path / "runtimes/tiny/runtime.toml").unlink()
    (tmp_path / "runtimes/tiny/runtime.toml").mkdir()
    ended = run("packages", tmp_path, settings)
    assert_failed(ended, 75, "BuilderBug")
    assert "Traceback" in ended.errors
