"""What `kubectl get` shows of an object, column by column."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import yaml

from lambda_embedded.api.kinds.served import KINDS
from lambda_embedded.api.reads.tables.columns import columns_of
from lambda_embedded.api.reads.tables.durations import human_duration
from lambda_embedded.api.reads.tables.forms import PlainForm, TableForm, form_of
from lambda_embedded.api.reads.tables.json_path import json_path
from lambda_embedded.schemas.known import DEFINITION

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
KIND = {kind.kind: kind for kind in KINDS}


def _ago(**time):
    return (NOW - timedelta(**time)).isoformat()


def _row(kind, item):
    columns = columns_of(KIND[kind], DEFINITION)
    item = {**item, "metadata": {"name": "one", "creationTimestamp": _ago(days=3)}}
    names = [definition["name"] for definition in columns.definitions]
    return dict(zip(names, columns.cells(item, NOW), strict=True))


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-2, "<invalid>"), (-1, "0s"), (0, "0s"), (119, "119s"), (120, "2m"), (599, "9m59s"),
        (600, "10m"), (10799, "179m"), (10800, "3h"), (28799, "7h59m"), (28800, "8h"),
        (172799, "47h"), (172800, "2d"), (190800, "2d5h"), (691200, "8d"), (63072000, "2y"),
        (63158400, "2y1d"), (252288000, "8y"),
    ],
)  # fmt: skip
def test_durations_are_those_of_kubernetes(seconds, text):
    assert human_duration(seconds) == text


@pytest.mark.parametrize(
    ("path", "found"),
    [
        (".a.b", 1),
        (r".a.x\.y/z", 2),
        (r".a['x\.y/z']", 2),
        (".list[?(@.type=='Ready')].status", "True"),
        ('.list[?(@.type=="Ready")].status', "True"),
        (".list[0].type", "Other"),
        (".list[7].type", None),
        (".list[?(@.type=='None')].status", None),
        (".a.b.c", None),
        (".nothing.at.all", None),
    ],
)
def test_a_path_finds_its_value_or_nothing(path, found):
    item = {
        "a": {"b": 1, "x.y/z": 2},
        "list": [{"type": "Other"}, {"type": "Ready", "status": "True"}, 5],
    }
    assert json_path(path)(item) == found


@pytest.mark.parametrize("path", ["a", ".a[*]", ".a[?(@.b>1)]", "..a", ".a["])
def test_a_path_that_is_not_understood_is_an_error_at_once(path):
    with pytest.raises(ValueError, match="not a path"):
        json_path(path)


def test_a_lambda_function_shows_the_columns_of_its_definition():
    conditions = [
        {"type": "BuildReady", "status": "True", "reason": "Built"},
        {"type": "Ready", "status": "False", "reason": "AppExited", "message": "no handler"},
    ]
    status = {"phase": "Failed", "url": "http://x", "conditions": conditions}
    row = _row("LambdaFunction", {"status": status})
    assert list(row)[:6] == ["Name", "Phase", "Ready", "Reason", "URL", "Age"]
    shown = [row[name] for name in ("Phase", "Ready", "Reason", "URL", "Age", "Message")]
    assert shown == ["Failed", "False", "AppExited", "http://x", "3d", "no handler"]


@pytest.mark.parametrize("kind", [kind.kind for kind in KINDS])
@pytest.mark.parametrize(
    "item", [{}, {"spec": 5, "status": [1]}, {"status": {"conditions": [5], "phase": {}}}]
)
def test_an_object_of_a_strange_shape_still_has_its_row(kind, item):
    row = _row(kind, item)
    assert row["Name"] == "one"


def _pod(*states, ready=False, **status):
    statuses = [{"name": "c", "ready": ready, "state": state} for state in states]
    spec = {"containers": [{"name": "c"}] * len(states), "nodeName": "embedded"}
    return {"spec": spec, "status": {"containerStatuses": statuses, **status}}


@pytest.mark.parametrize(
    ("item", "ready", "status"),
    [
        (_pod({"running": {}}, phase="Running"), "0/1", "Running"),
        (_pod({"running": {"startedAt": "x"}}, ready=True, phase="Running"), "1/1", "Running"),
        (_pod({"terminated": {"reason": "Completed"}}, phase="Succeeded"), "0/1", "Completed"),
        (_pod({"terminated": {"exitCode": 3}}, phase="Failed"), "0/1", "ExitCode:3"),
        (_pod({"waiting": {"reason": "CrashLoopBackOff"}}, phase="Running"), "0/1",
         "CrashLoopBackOff"),
        (_pod(phase="Failed", reason="Evicted"), "0/0", "Evicted"),
        (_pod(phase="Pending", conditions=[{"reason": "SchedulingGated"}]), "0/0",
         "SchedulingGated"),
        (_pod({"waiting": {}}, initContainerStatuses=[{"state": {"running": {}}}]), "0/1",
         "Init:0/0"),
        (_pod({}, initContainerStatuses=[{"state": {"terminated": {"exitCode": 1,
         "reason": "Error"}}}]), "0/1", "Init:Error"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_a_pod_shows_what_its_containers_say(item, ready, status):
    row = _row("Pod", item)
    assert (row["Ready"], row["Status"]) == (ready, status)


def test_restarts_tell_when_the_last_one_was():
    item = _pod({"running": {}})
    ended = {"terminated": {"finishedAt": _ago(seconds=5)}}
    item["status"]["containerStatuses"][0] |= {"restartCount": 3, "lastState": ended}
    assert _row("Pod", item)["Restarts"] == "3 (5s ago)"


@pytest.mark.parametrize(
    ("conditions", "status"),
    [([], "Running"), ([{"type": "Complete", "status": "True"}], "Complete"),
     ([{"type": "Failed", "status": "True"}], "Failed")],
)  # fmt: skip
def test_a_job_shows_how_far_it_is(conditions, status):
    item = {
        "spec": {"completions": 2},
        "status": {"succeeded": 1, "startTime": _ago(minutes=3), "conditions": conditions},
    }
    row = _row("Job", item)
    assert (row["Status"], row["Completions"], row["Duration"]) == (status, "1/2", "3m")


def test_an_event_shows_what_it_is_about():
    item = {
        "type": "Warning", "reason": "Failed", "message": " why\n", "count": 4,
        "lastTimestamp": _ago(seconds=9), "involvedObject": {"kind": "Pod", "name": "p"},
    }  # fmt: skip
    row = _row("Event", item)
    assert (row["Last Seen"], row["Object"], row["Message"], row["Count"]) == (
        "9s", "pod/p", "why", 4,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("accept", "form"),
    [
        ("application/json;as=Table;v=v1;g=meta.k8s.io,application/json", TableForm),
        ("application/json;as=Table;g=meta.k8s.io;v=v1", TableForm),
        ("application/json, application/json;as=Table;g=meta.k8s.io;v=v1", PlainForm),
        ("application/json;as=Table;v=v9;g=meta.k8s.io,application/json", PlainForm),
        ("application/vnd.kubernetes.protobuf,application/json", PlainForm),
        ("*/*", PlainForm),
        ("", PlainForm),
        (";;,,=", PlainForm),
    ],
)
def test_a_table_is_given_to_who_prefers_one(accept, form):
    assert type(form_of(KIND["Pod"], accept, {}, DEFINITION)) is form


def test_the_short_names_of_the_api_are_those_of_the_definition():
    names = yaml.safe_load(DEFINITION.read_text())["spec"]["names"]
    assert list(KIND["LambdaFunction"].short_names) == names["shortNames"]
