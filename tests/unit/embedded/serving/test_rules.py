from __future__ import annotations

import pytest

from lambda_embedded.serving.settings import ServingSettings
from lambda_embedded.serving.template import parse_duration, serving_rules, template_digest


def rules(annotations=None, **spec):
    prefixed = {f"autoscaling.knative.dev/{key}": text for key, text in (annotations or {}).items()}
    template = {"metadata": {"annotations": prefixed}, "spec": spec}
    return serving_rules(template, ServingSettings(idle_window_seconds=60))


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("30s", 30), ("1m30s", 90), ("2h", 7200), ("1.5s", 1.5), ("500ms", 0.5), ("0s", 0)],
)
def test_durations_are_read_as_go_writes_them(text, seconds):
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "soon", "10", "s", "-5s", "5s1m"])
def test_what_is_no_duration_is_none(text):
    assert parse_duration(text) is None


def test_a_template_that_says_nothing_gets_the_settings():
    found = rules()
    assert (found.min_processes, found.max_processes) == (0, 4)
    assert (found.concurrency, found.target) == (0, 100)
    assert (found.timeout_seconds, found.idle_seconds) == (300, 60)
    assert found.probe_path is None


def test_no_service_gets_more_processes_than_the_machine_allows():
    found = rules({"max-scale": "50", "min-scale": "20"})
    assert (found.min_processes, found.max_processes) == (4, 4)


@pytest.mark.parametrize(
    ("concurrency", "target", "expected"),
    [(10, "4", 4), (10, "50", 10), (0, "7", 7), (3, "none", 3)],
)
def test_a_process_is_full_at_its_target_or_its_limit(concurrency, target, expected):
    assert rules({"target": target}, containerConcurrency=concurrency).target == expected


def test_times_come_from_annotations():
    found = rules({"window": "6s", "scale-to-zero-pod-retention-period": "1m"}, timeoutSeconds=5)
    assert (found.idle_seconds, found.retention_seconds, found.timeout_seconds) == (6, 60, 5)


@pytest.mark.parametrize(
    ("probe", "path"),
    [
        ({"httpGet": {"path": "/health/readiness"}}, "/health/readiness"),
        ({"httpGet": {}}, "/"),
        ({"httpGet": {"path": "ready"}}, "/ready"),
        ({"tcpSocket": {"port": 0}}, None),
    ],
)
def test_only_http_probes_have_a_path(probe, path):
    assert rules(containers=[{"readinessProbe": probe}]).probe_path == path


def test_templates_that_differ_in_order_only_are_the_same():
    one = {"spec": {"a": 1, "b": 2}}
    other = {"spec": {"b": 2, "a": 1}}
    assert template_digest(one) == template_digest(other)
    assert template_digest(one) != template_digest({"spec": {"a": 1, "b": 3}})
