from __future__ import annotations

import json

import pytest

from kn_lambda.errors import ExitCode
from knative_lambda.adapters.kubernetes.client import BROKERS, SERVICES

_READY = {"conditions": [{"type": "Ready", "status": "True"}]}


@pytest.fixture
def healthy(fake_platform, tmp_path):
    for name in ("build-start", "publish", "build-complete", "delete", "cleanup"):
        metadata = {"namespace": "knative-lambda", "name": name}
        fake_platform.api.put(SERVICES, {"metadata": metadata, "status": _READY})
    for namespace, name in (("knative-lambda", "knative-lambda"), ("default", "default")):
        fake_platform.api.find(BROKERS, namespace, name)["status"] |= _READY
    for folder in ("uploads", "registry"):
        (tmp_path / folder).mkdir()
    fake_platform.installation.settings().update(
        KN_LAMBDA_UPLOAD_URL=(tmp_path / "uploads").as_uri() + "/",
        KN_LAMBDA_REGISTRY_URL=(tmp_path / "registry").as_uri(),
    )
    return fake_platform


def _verdicts(result):
    return {check["name"]: check["verdict"] for check in json.loads(result.stdout)}


def test_a_healthy_platform_passes_and_nothing_stays_in_storage(healthy, kn_lambda, tmp_path):
    result = kn_lambda("doctor", "-o", "json")
    assert result.exit_code == ExitCode.OK, result.output
    assert "failed" not in _verdicts(result).values()
    assert not [path for path in (tmp_path / "uploads").rglob("*") if path.is_file()]


def test_what_is_missing_or_not_ready_fails_with_its_name(healthy, kn_lambda, tmp_path):
    del healthy.api.objects[SERVICES.plural, "knative-lambda", "delete"]
    condition = {"type": "Ready", "status": "False", "reason": "NoSink", "message": "no sink"}
    healthy.api.find(BROKERS, "default", "default")["status"]["conditions"] = [condition]
    (tmp_path / "registry").rmdir()
    result = kn_lambda("doctor", "-o", "json")
    assert result.exit_code == ExitCode.FAILED
    failed = {name for name, verdict in _verdicts(result).items() if verdict == "failed"}
    assert failed == {"function delete", "Broker default/default", "registry"}
    assert "NoSink: no sink" in result.stdout


def test_no_platform_at_all_is_unreachable(healthy, kn_lambda):
    healthy.api.objects.clear()
    result = kn_lambda("doctor")
    assert result.exit_code == ExitCode.UNREACHABLE
    assert "is not installed" in result.stdout


def _bubblewrap(result):
    checks = json.loads(result.stdout)
    return next(check for check in checks if check["name"] == "bubblewrap")


@pytest.fixture
def programs(tmp_path, monkeypatch):
    """A folder that alone is the PATH."""
    folder = tmp_path / "programs"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    return folder


def _write_bubblewrap(folder, script):
    (folder / "bwrap").write_text(f"#!/bin/sh\n{script}\n")
    (folder / "bwrap").chmod(0o755)


def test_a_bubblewrap_that_works_is_well(healthy, kn_lambda, programs):
    _write_bubblewrap(programs, 'case "$1" in --version) echo bubblewrap 1.2.3;; esac')
    found = _bubblewrap(kn_lambda("doctor", "-o", "json"))
    assert (found["verdict"], found["found"]) == ("ok", "bubblewrap 1.2.3")


def test_a_missing_bubblewrap_is_a_warning_with_a_hint(healthy, kn_lambda, programs):
    result = kn_lambda("doctor", "-o", "json")
    found = _bubblewrap(result)
    assert result.exit_code == ExitCode.OK
    assert found["verdict"] == "warning"
    assert "apt-get install bubblewrap" in found["wayOut"]


def test_a_bubblewrap_that_is_forbidden_is_a_warning_with_its_own_words(
    healthy, kn_lambda, programs
):
    _write_bubblewrap(programs, "echo 'bwrap: setting up uid map: Permission denied' >&2; exit 1")
    found = _bubblewrap(kn_lambda("doctor", "-o", "json"))
    assert found["verdict"] == "warning"
    assert "setting up uid map: Permission denied" in found["found"]
    assert "AppArmor" in found["wayOut"]


def test_no_sandbox_is_looked_for_where_there_can_be_none(healthy, kn_lambda, monkeypatch):
    monkeypatch.setattr("sys.platform", "darwin")
    result = kn_lambda("doctor", "-o", "json")
    assert result.exit_code == ExitCode.OK
    assert _verdicts(result)["system"] == "warning"
    assert "bubblewrap" not in _verdicts(result)
    assert "kn-lambda up works on Linux only" in result.stdout
