"""`kn-lambda uninstall` at a terminal asks before it removes anything."""

from __future__ import annotations

import os
import pty
import subprocess
import sys

import pytest

from kn_lambda.errors import ExitCode
from lambda_embedded.data_folder import DataFolder


@pytest.mark.parametrize(
    ("keys", "code", "is_removed"),
    [
        pytest.param(b"y\n", ExitCode.OK, True, id="yes"),
        pytest.param(b"n\n", ExitCode.FAILED, False, id="no"),
        pytest.param(b"\n", ExitCode.FAILED, False, id="enter"),
        pytest.param(b"\x04", ExitCode.INTERRUPTED, False, id="end of input"),
    ],
)
def test_only_a_yes_removes_the_data(tmp_path, keys, code, is_removed):
    home = DataFolder(tmp_path / "home")
    home.create()
    ours, theirs = pty.openpty()
    try:
        os.write(ours, keys)
        done = subprocess.run(
            [sys.executable, "-m", "kn_lambda", "uninstall", "--home", str(home.root)],
            stdin=theirs,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    finally:
        os.close(ours)
        os.close(theirs)
    assert done.returncode == code, done.stderr
    assert f"Remove {str(home.root)!r} and everything in it? [y/N]" in done.stderr
    assert home.root.exists() is not is_removed
