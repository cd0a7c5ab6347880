"""`kn-lambda status` and `down`, where no platform runs and on a cluster."""

from __future__ import annotations

import json

import pytest

from kn_lambda.cluster.disk_usage import disk_usage, readable_size
from kn_lambda.errors import ExitCode
from knative_lambda.adapters.kubernetes.client import BROKERS, SERVICES
from tests.unit.cli.helpers.fakes import status

_READY = {"conditions": [{"type": "Ready", "status": "True"}]}
_CONTROL = ("build-start", "publish", "build-complete", "delete", "cleanup", "dead-letter")


def test_a_platform_that_does_not_run_is_described_with_the_way_to_start_it(kn_lambda, tmp_path):
    result = kn_lambda("status")
    assert result.exit_code == ExitCode.UNREACHABLE
    assert "not running" in result.stdout
    assert f"kn-lambda up --home {tmp_path}" in result.stderr


def test_in_json_it_is_a_document_like_that_of_one_that_runs(kn_lambda, tmp_path):
    result = kn_lambda("status", "-o", "json")
    assert result.exit_code == ExitCode.UNREACHABLE
    document = json.loads(result.stdout)
    assert document.pop("bytes") == disk_usage(tmp_path)
    assert document == {"platform": "embedded", "state": "stopped", "home": str(tmp_path)}


@pytest.fixture
def cluster(fake_platform, tmp_path):
    for name in _CONTROL:
        metadata = {"namespace": "knative-lambda", "name": name}
        fake_platform.api.put(SERVICES, {"metadata": metadata, "status": _READY})
    for namespace, name in (("knative-lambda", "knative-lambda"), ("default", "default")):
        fake_platform.api.find(BROKERS, namespace, name)["status"] |= _READY
    kubeconfig = tmp_path / "cluster"
    kubeconfig.write_text("{}")
    return "--kubeconfig", str(kubeconfig)


def test_a_cluster_is_described_by_what_was_installed(kn_lambda, fake_platform, cluster):
    fake_platform.installation.settings().update(KN_LAMBDA_BUILD_JOB_IMAGE="r/builder@sha256:1")
    fake_platform.put_record("one", status=status(phase="Ready"))
    fake_platform.put_record("two", namespace="team-a", status={})
    del fake_platform.api.objects[SERVICES.plural, "knative-lambda", "delete"]
    result = kn_lambda("status", *cluster, "-o", "json")
    assert result.exit_code == ExitCode.OK, result.output
    assert json.loads(result.stdout) == {
        "platform": "cluster",
        "state": "running",
        "name": "a platform of tests",
        "builder": "r/builder@sha256:1",
        "controlFunctions": dict.fromkeys(_CONTROL, "ready") | {"delete": "not found"},
        "brokers": {"knative-lambda/knative-lambda": "ready", "default/default": "ready"},
        "functions": {"Ready": 1, "Pending": 1},
    }
    text = kn_lambda("status", *cluster).stdout
    assert "1 Pending, 1 Ready" in text
    assert "delete:" in text


def test_a_cluster_without_an_installation_is_unreachable(kn_lambda, fake_platform, cluster):
    fake_platform.api.objects.clear()
    result = kn_lambda("status", *cluster)
    assert result.exit_code == ExitCode.UNREACHABLE
    assert "is not installed" in result.stderr


def test_down_where_nothing_runs_is_no_error(kn_lambda, tmp_path):
    result = kn_lambda("down")
    assert result.exit_code == ExitCode.OK
    assert result.stdout == f"The platform in {tmp_path} was not running.\n"
    absent = {"home": str(tmp_path), "outcome": "absent", "pid": None}
    assert json.loads(kn_lambda("down", "-o", "json").stdout) == absent


@pytest.mark.parametrize("arguments", [("down",), ("up", "--detach")])
def test_a_cluster_is_neither_started_nor_stopped(kn_lambda, arguments):
    result = kn_lambda(*arguments, "--context", "prod")
    assert result.exit_code == ExitCode.USAGE
    assert "--context is for clusters" in result.stderr


def test_what_takes_the_disk_is_counted_once_and_never_behind_links(tmp_path):
    outside = tmp_path / "outside"
    outside.write_bytes(b"x" * 100_000)
    folder = tmp_path / "folder"
    folder.mkdir()
    empty = disk_usage(folder)
    (folder / "file").write_bytes(b"x" * 100_000)
    once = disk_usage(folder) - empty
    (folder / "same").hardlink_to(folder / "file")
    (folder / "link").symlink_to(outside)
    assert 100_000 <= once < 110_000
    assert disk_usage(folder) - empty < once + 10_000  # a link itself may take a block
    assert disk_usage(tmp_path / "nothing") == 0


@pytest.mark.parametrize(
    ("size", "text"), [(0, "0 B"), (1023, "1023 B"), (1536, "1.5 KiB"), (5 << 30, "5.0 GiB")]
)
def test_sizes_are_as_people_read_them(size, text):
    assert readable_size(size) == text
