"""`kn-lambda run`: one function in the foreground."""

from __future__ import annotations

import json
import os
import signal
import socket
import stat
import subprocess
import sys
import threading
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.helpers.changing_folders import contents_below, contents_of
from tests.helpers.http_client import request
from tests.helpers.package_indexes import python_index
from tests.helpers.waiting import wait_for
from tests.integration.running.helpers.run_process import RunProcess

pytestmark = pytest.mark.xdist_group("running")

RETURNS = "def handler(event):\n    return {!r}\n"
MANIFEST = """\
apiVersion: knative-lambda.dev/v1alpha1
kind: LambdaFunction
metadata: {name: greeter, namespace: team}
spec:
  runtime: python
  timeoutSeconds: 7
  env:
    - {name: GREETING, value: hello}
    - {name: TOKEN, secretKeyRef: {name: db, key: token}}
"""


@pytest.mark.parametrize("language", ["python", "nodejs"])
def test_what_init_made_runs_and_answers_the_printed_call_and_each_save(
    running, home, tmp_path, language
):
    made = [sys.executable, "-m", "kn_lambda", "init", "hello", "--runtime", language]
    subprocess.run(made, cwd=tmp_path, check=True, capture_output=True)
    run = running({}).ready()
    before = sorted(path.name for path in run.folder.iterdir())

    answered = subprocess.run(run.curl, capture_output=True, check=True).stdout
    assert json.loads(answered) == {"message": "Hello, Ada!"}

    code = next(file for file in run.folder.iterdir() if file.stem in {"main", "index"})
    run.saved({code.name: code.read_text().replace("Hello", "Good day")})
    assert run.answer({"name": "Ada"}) == {"message": "Good day, Ada!"}
    assert "reloaded in" in run.err
    assert code.name in run.err
    # Packages and compiled code are elsewhere.
    assert sorted(path.name for path in run.folder.iterdir()) == before


def test_a_request_that_comes_during_a_restart_waits_for_its_end(shared):
    statuses, stop = set(), threading.Event()
    shared.serves(RETURNS.format(0))

    def call() -> None:
        while not stop.is_set():
            statuses.add(shared.call().status)

    caller = threading.Thread(target=call)
    caller.start()
    for number in range(1, 4):
        shared.serves(RETURNS.format(number))
    stop.set()
    caller.join()
    assert statuses == {200}
    assert shared.answer() == 3


def test_broken_code_is_shown_and_answered_with_503_until_the_next_save(shared):
    before = shared.err.count("Mend it and save")
    shared.save({"main.py": f"def handler(event)\n# {shared.err.count('reloaded')}\n"})
    shared.shows("Mend it and save", before + 1)
    refused = shared.call()
    assert (refused.status, refused.data["reason"]) == (503, "NotReady")
    assert "SyntaxError" in refused.data["message"]
    assert "SyntaxError" in shared.err
    # The file that a person can edit, and no copy of it.
    assert f'File "{shared.folder}/main.py", line 1' in shared.out
    shared.serves(RETURNS.format("mended"))
    assert shared.answer() == "mended"


def test_function_yaml_and_options_say_what_they_say_on_a_platform(running, tmp_path):
    files = {
        "main.py": "import os\ndef handler(event):\n    return dict(os.environ)\n",
        "function.yaml": MANIFEST,
    }
    given = tmp_path / "shared.env"
    given.write_text("TOKEN=given\n")
    run = running(files, "--env-file", str(given), SHELL_SECRET="private").ready()
    variables = run.answer()
    expected = {
        "FUNCTION_NAME": "team/greeter",
        "FUNCTION_TIMEOUT_SECONDS": "7",
        "GREETING": "hello",
        "TOKEN": "given",
        "HOST": "127.0.0.1",
    }
    assert variables.items() >= expected.items()
    assert "SHELL_SECRET" not in variables

    run.saved({"function.yaml": MANIFEST.replace("hello", "good day")})
    assert run.answer()["GREETING"] == "good day"
    run.saved({f"../{given.name}": "TOKEN=another\n"})
    assert run.answer()["TOKEN"] == "another"
    run.save({"function.yaml": MANIFEST.replace("runtime:", "runtimes:")})
    run.shows("spec.runtimes")
    assert run.call().status == 503


def test_what_the_source_asks_for_is_installed_again_when_that_changes(shared, running):
    # The runtime is prepared by `shared`: this index has no packages for it.
    with python_index() as index:
        variables = {"PIP_INDEX_URL": index, "UV_DEFAULT_INDEX": index, "NO_PROXY": "127.0.0.1"}
        files = {"main.py": RETURNS.format(1), "requirements.txt": "no-such-package-anywhere\n"}
        run = running(files, **variables)
        run.shows("Mend it and save")
        assert "no-such-package-anywhere" in run.err
        run.save({"requirements.txt": "# none\n"})
        run.ready()
        assert run.answer() == 1
        code = "import alpha\ndef handler(event):\n    return sorted(alpha.VALUE)\n"
        run.saved({"requirements.txt": "alpha\n", "main.py": code})
        wait_for(lambda: run.call().status == 200)
        assert run.answer() == ["a", "b"]
    assert not (run.folder / "packages").exists()


SPAWNS = """\
import os, subprocess, sys
sys.stdout.flush()
subprocess.Popen(["sleep", "600"], start_new_session=True)
def handler(event):
    if event.data == "die":
        os._exit(3)
    return os.getpid()
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_no_process_is_left_however_it_ends(running, number):
    run = running({"main.py": SPAWNS}).ready()
    wait_for(lambda: len(run.processes()) >= 2)

    assert run.end(number) == (-signal.SIGKILL if number == signal.SIGKILL else 0)
    wait_for(lambda: not run.processes())


def test_a_process_that_crashed_is_started_again_by_the_next_request(shared):
    shared.serves(SPAWNS)
    before = shared.answer()
    crashed = shared.call("die")
    assert (crashed.status, crashed.data["reason"]) == (502, "FunctionCrashed")
    assert shared.answer() != before
    assert "exited with status 3" in shared.err


def test_strangers_do_not_reach_the_function(shared):
    shared.serves("def handler(event):\n    print('CALLED', flush=True)\n")
    rebound = request("POST", shared.url, b"{}", {"Host": "rebound.example"})
    page = request("POST", shared.url, b"{}", {"Origin": "http://page.example"})
    assert (rebound.status, rebound.data["reason"]) == (403, "HostNotAllowed")
    assert (page.status, page.data["reason"]) == (403, "OriginNotAllowed")
    assert "CALLED" not in shared.out


def test_one_folder_is_run_once(shared, tmp_path):
    second = RunProcess(shared.home, shared.folder, tmp_path, {}).start()
    assert second.process.wait(60) == 1
    assert f"already running (process {shared.process.pid})" in second.err


def test_json_is_one_document_for_scripts(running):
    run = running({"main.py": RETURNS.format(1)}, "-o", "json", "--no-reload")
    run.shows("ready")
    wait_for(lambda: run.out.endswith("}\n"))
    document = json.loads(run.out)
    assert (document["name"], document["pid"]) == ("hello", run.process.pid)
    assert request("GET", f"{document['url']}/health/readiness").status == 200


def test_a_name_that_is_not_utf_8_ends_nothing(running):
    run = running({"main.py": RETURNS.format(1)}).ready()
    file = run.folder / os.fsdecode(b"bad\xff")
    file.write_text("")
    run.shows("is not text in UTF-8")
    file.unlink()
    run.saved({"main.py": RETURNS.format(2)})
    assert run.answer({}) == 2


def test_what_is_no_http_leaves_nothing_on_the_terminal(shared):
    shared.serves(RETURNS.format(1))
    before = shared.err
    for request_line in (b"\x1b[2J\r\n\r\n", b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"):
        with socket.create_connection(("127.0.0.1", urlsplit(shared.url).port)) as connection:
            connection.sendall(request_line)
            assert connection.recv(100).split()[1] == b"400"
    assert shared.answer({}) == 1
    assert shared.err == before


def test_values_of_variables_are_in_no_message_and_no_file_and_others_can_read_nothing(
    running, home, tmp_path
):
    (tmp_path / "env").write_text("FROM_FILE=hunter2-file\n")
    environment = {"FROM_TERMINAL": "hunter2-terminal"}
    code = (
        "import os\ndef handler(event):\n    return [v for v in os.environ.values() if '%s' in v]\n"
    )
    run = running(
        {"main.py": code % "hunter2"}, "-v", "-e", "FROM_TERMINAL", "--env-file",
        str(tmp_path / "env"), **environment,
    ).ready()  # fmt: skip
    assert sorted(run.answer({})) == ["hunter2-file", "hunter2-terminal"]
    kept = dict(contents_below(home / "run"))
    assert any(kept.values())
    assert not [file for file, content in kept.items() if b"hunter2-" in content]
    assert "hunter2-" not in run.err + run.out
    commands = contents_of(Path("/proc").glob("[0-9]*/cmdline"))
    assert not [command for _, command in commands if b"hunter2-" in command]
    assert {stat.S_IMODE(folder.stat().st_mode) for folder in (home, home / "run")} == {0o700}
