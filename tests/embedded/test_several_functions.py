"""Several functions in one deployment, on a real platform and a real terminal."""

from __future__ import annotations

import json
import signal
import subprocess

import pytest

from kn_lambda.errors import ExitCode
from tests.embedded.helpers.running_platform import kn_lambda_program, machine_environment
from tests.helpers.pseudo_terminal import OWN_SEQUENCES, pseudo_terminal
from tests.helpers.waiting import wait_for

_HELLO = "def handler(event):\n    return {'n': 1}\n"


@pytest.fixture
def folders(tmp_path, unique_name):
    """Two functions, of which the second does not start."""
    found = []
    for suffix, code in (("good", _HELLO), ("bad", "import nowhere\n")):
        folder = tmp_path / f"{unique_name}-{suffix}"
        folder.mkdir()
        (folder / "main.py").write_text(code)
        found.append(folder)
    return found


def test_one_is_ready_although_another_fails(kn_lambda, folders):
    good, bad = folders
    done = kn_lambda("deploy", good, bad, "-o", "json")
    assert done.returncode == ExitCode.FAILED
    ready, failed = json.loads(done.stdout)
    assert (ready["name"], ready["outcome"]) == (good.name, "ready")
    assert (failed["name"], failed["outcome"]) == (bad.name, "failed")
    assert f"{bad.name}  | " in done.stderr
    assert "No module named 'nowhere'" in done.stderr
    assert json.loads(kn_lambda("invoke", good.name).stdout) == {"n": 1}


@pytest.mark.parametrize("count", [1, 2])
def test_ctrl_c_ends_the_wait_and_leaves_a_clean_terminal(platform, folders, count):
    with pseudo_terminal() as screen:
        deploying = subprocess.Popen(
            [*kn_lambda_program(), "deploy", *folders[:count], "--home", platform.home],
            stdin=subprocess.DEVNULL,
            stdout=screen.stream,
            stderr=screen.stream,
            env={**machine_environment(), "TERM": "xterm", "COLUMNS": "100"},
            start_new_session=True,
        )
        wait_for(lambda: "waiting for the build" in screen.text or deploying.poll() is not None)
        assert deploying.poll() is None, screen.text
        deploying.send_signal(signal.SIGINT)
        assert deploying.wait() != ExitCode.OK
    assert "kn-lambda list" in screen.text or "kn-lambda describe" in screen.text
    assert "\x1b" not in OWN_SEQUENCES.sub("", screen.text)
    assert "Traceback" not in screen.text
