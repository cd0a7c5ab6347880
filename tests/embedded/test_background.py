"""The platform in the background: `up --detach`, `status` and `down`."""

from __future__ import annotations

import json

from kn_lambda.errors import ExitCode

_ANY_PORT = ("--port", "0", "--broker-port", "0", "--api-port", "0")


def test_a_platform_in_the_background_runs_until_down(kn_lambda_alone, tmp_path):
    home = tmp_path / "home"
    started = kn_lambda_alone("up", "--detach", *_ANY_PORT, "-o", "json")
    try:
        assert started.returncode == ExitCode.OK, started.stderr
        facts = json.loads(started.stdout)
        status = kn_lambda_alone("status", "-o", "json")
        document = json.loads(status.stdout)
        assert status.returncode == ExitCode.OK
        assert (document["state"], document["pid"]) == ("running", facts["pid"])
        assert (document["urls"], document["home"]) == (facts["urls"], str(home))
        assert (document["functions"], document["platform"]) == ({}, "embedded")
        second = kn_lambda_alone("up", "--detach", *_ANY_PORT)
        assert second.returncode == ExitCode.FAILED
        assert f"kn-lambda down --home {home}" in second.stderr
        assert "ready" in (home / "platform.log").read_text()
        refused = kn_lambda_alone("uninstall", "--yes")
        assert refused.returncode == ExitCode.FAILED
        assert f"kn-lambda down --home {home}" in refused.stderr
    finally:
        stopped = kn_lambda_alone("down")
    assert (stopped.returncode, stopped.stdout) == (
        ExitCode.OK,
        f"The platform in {home} is stopped.\n",
    )
    assert kn_lambda_alone("status").returncode == ExitCode.UNREACHABLE
    assert kn_lambda_alone("uninstall", "--yes").returncode == ExitCode.OK
    assert not home.exists()


def test_a_start_that_fails_says_why_and_leaves_nothing_running(kn_lambda_alone, tmp_path):
    failed = kn_lambda_alone("up", "-d", "--port", "0", "--installation", str(tmp_path))
    assert failed.returncode == ExitCode.FAILED
    assert "the platform did not start" in failed.stderr
    assert kn_lambda_alone("status").returncode == ExitCode.UNREACHABLE
