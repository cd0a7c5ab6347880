"""Children of a process are found while it runs, and nothing is wrong once it has ended."""

from __future__ import annotations

import os
import subprocess

from tests.helpers.child_processes import children_of


def test_a_child_is_found_until_it_is_gone():
    child = subprocess.Popen(["sleep", "60"])
    try:
        assert child.pid in children_of(os.getpid())
        assert children_of(child.pid) == []
    finally:
        child.kill()
        child.wait()
    assert child.pid not in children_of(os.getpid())
    assert children_of(child.pid) == []
