from __future__ import annotations

from typing import Any

import pytest

from lambda_embedded.jobs.job_status import (
    DEADLINE_EXCEEDED,
    active_status,
    counted_failures,
    finished_status,
    is_finished,
    judge,
    suspended_status,
)

NOW = "2026-01-01T00:00:00Z"


def job(**spec: Any) -> dict[str, Any]:
    return {"metadata": {"name": "build"}, "spec": spec}


def pod(phase: str, *, reason: str = "", exit_code: int = 0, init: bool = False) -> dict[str, Any]:
    container = {"name": "main", "state": {"terminated": {"exitCode": exit_code}}}
    field = "initContainerStatuses" if init else "containerStatuses"
    status = {"phase": phase, "reason": reason, field: [container]}
    return {"metadata": {"namespace": "builds", "name": "build-abcde"}, "status": status}


def rule(action: str, operator: str, *values: int, container: str | None = None) -> dict[str, Any]:
    wanted = {"operator": operator, "values": list(values), "containerName": container}
    return {"action": action, "onExitCodes": {k: v for k, v in wanted.items() if v is not None}}


def policy(*rules: dict[str, Any]) -> dict[str, Any]:
    return {"podFailurePolicy": {"rules": list(rules)}}


def reason_of(end: Any) -> str | None:
    return end.reason if end else None


def test_a_job_without_pods_needs_one():
    assert judge(job(), []) is None


def test_a_succeeded_pod_completes_the_job_whatever_failed_before():
    assert reason_of(judge(job(), [pod("Failed"), pod("Succeeded")])) == "CompletionsReached"


@pytest.mark.parametrize(("failures", "reason"), [(2, None), (3, "BackoffLimitExceeded")])
def test_a_job_fails_once_more_pods_failed_than_its_limit(failures: int, reason: str | None):
    assert reason_of(judge(job(backoffLimit=2), [pod("Failed")] * failures)) == reason


def test_the_limit_is_six_where_the_job_names_none():
    assert judge(job(), [pod("Failed")] * 6) is None
    assert judge(job(), [pod("Failed")] * 7) is not None


def test_pods_that_a_restart_of_the_platform_ended_do_not_count():
    interrupted = pod("Failed", reason="PlatformRestarted", exit_code=137)
    spec = job(backoffLimit=0, **policy(rule("FailJob", "In", 137)))
    assert judge(spec, [interrupted] * 5) is None
    assert counted_failures(spec, [interrupted] * 5) == 0


@pytest.mark.parametrize(
    ("rules", "exit_code", "reason"),
    [
        ([rule("FailJob", "In", 1)], 1, "PodFailurePolicy"),
        ([rule("FailJob", "In", 1)], 75, None),
        ([rule("FailJob", "NotIn", 75)], 1, "PodFailurePolicy"),
        ([rule("FailJob", "NotIn", 75)], 75, None),
        ([rule("FailJob", "In", 1, container="main")], 1, "PodFailurePolicy"),
        ([rule("FailJob", "In", 1, container="other")], 1, None),
        ([rule("Count", "In", 1), rule("FailJob", "In", 1)], 1, None),
    ],
)
def test_the_first_rule_that_fits_the_exit_code_decides(rules, exit_code, reason):
    assert reason_of(judge(job(**policy(*rules)), [pod("Failed", exit_code=exit_code)])) == reason


def test_rules_hold_for_init_containers_too():
    failed = pod("Failed", exit_code=1, init=True)
    end = judge(job(**policy(rule("FailJob", "In", 1))), [failed])
    assert end is not None
    assert "Container main for pod builds/build-abcde failed with exit code 1" in end.message


def test_ignored_failures_do_not_count():
    spec = job(backoffLimit=0, **policy(rule("Ignore", "In", 3)))
    assert judge(spec, [pod("Failed", exit_code=3)]) is None


def test_a_rule_may_look_at_conditions_of_the_pod():
    ignore = {"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget"}]}
    disrupted = pod("Failed", exit_code=1)
    disrupted["status"]["conditions"] = [{"type": "DisruptionTarget", "status": "True"}]
    assert judge(job(backoffLimit=0, **policy(ignore)), [disrupted]) is None


def test_an_active_job_keeps_the_time_at_which_it_started():
    started = {**job(), "status": {"startTime": "2025-01-01T00:00:00Z"}}
    status = active_status(started, [pod("Running")], NOW)
    assert (status["startTime"], status["active"]) == ("2025-01-01T00:00:00Z", 1)


def test_a_complete_job_says_when_and_is_finished():
    end = judge(job(), [pod("Succeeded")])
    assert end is not None
    status = finished_status(job(), [pod("Succeeded")], end, NOW)
    assert (status["completionTime"], status["succeeded"]) == (NOW, 1)
    assert [item["type"] for item in status["conditions"]] == ["SuccessCriteriaMet", "Complete"]
    assert is_finished({**job(), "status": status})


def test_a_job_out_of_time_counts_its_running_pod_as_failed():
    status = finished_status(job(), [pod("Running")], DEADLINE_EXCEEDED, NOW)
    assert status["failed"] == 1
    assert status["conditions"][-1]["reason"] == "DeadlineExceeded"
    assert "completionTime" not in status
    assert "active" not in status


def test_a_suspended_job_forgets_its_start_and_resuming_says_so():
    suspended = {**job(), "status": suspended_status(job(), [], NOW)}
    assert "startTime" not in suspended["status"]
    assert not is_finished(suspended)
    resumed = active_status(suspended, [], NOW)
    assert resumed["conditions"][0]["status"] == "False"
