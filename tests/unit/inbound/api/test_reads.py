"""What callers see of lambdas, builds and logs."""

from __future__ import annotations

import io

import pytest

from knative_lambda.domain.caller import PodLog
from tests.helpers.fakes_callers import EXPIRED

LAMBDAS = "/v1/namespaces/team-a/lambdas"
BUILD, OLDER = "a" * 64, "b" * 64


def ready(message="it runs"):
    condition = {"type": "Ready", "status": "True", "message": message}
    return {"phase": "Ready", "conditions": [{"type": "SourceReady"}, condition], "url": "http://x"}


async def test_a_list_sums_up_each_lambda(api):
    api.callers.add("team-a", "hello", status=ready(), labels={"app": "shop"})
    response = await api.get(LAMBDAS)
    assert response.status == 200
    assert response.headers["cache-control"] == "no-store"
    assert response.data == {
        "items": [
            {
                "namespace": "team-a",
                "name": "hello",
                "uid": "uid-1",
                "generation": 1,
                "resourceVersion": "1",
                "createdAt": "2026-12-01T12:00:00Z",
                "labels": {"app": "shop"},
                "runtime": "python3.11",
                "phase": "Ready",
                "ready": "True",
                "message": "it runs",
                "url": "http://x",
            }
        ]
    }


async def test_pages_together_are_the_list(api):
    for number in range(7):
        api.callers.add("team-a", f"l{number}")
    found, after = [], ""
    while after is not None:
        page = (await api.get(f"{LAMBDAS}?limit=3{after}")).data
        assert len(page["items"]) <= 3
        found += [item["name"] for item in page["items"]]
        after = f"&continue={page['continue']}" if "continue" in page else None
    assert found == [f"l{number}" for number in range(7)]


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("phase=Ready", ["b"]),
        ("phase=Failed", []),
        ("runtime=nodejs24", ["c"]),
        ("labelSelector=app%3Dshop", ["a", "b"]),
        ("labelSelector=app%3Dshop&phase=Ready", ["b"]),
    ],
)
async def test_filters_leave_out_what_does_not_match(api, query, names):
    api.callers.add("team-a", "a", labels={"app": "shop"})
    api.callers.add("team-a", "b", labels={"app": "shop"}, status=ready())
    api.callers.add("team-a", "c", spec={"runtime": "nodejs24"})
    found = (await api.get(f"{LAMBDAS}?{query}")).data["items"]
    assert [item["name"] for item in found] == names


@pytest.mark.parametrize(
    "status", [None, "text", {"conditions": "text"}, {"conditions": ["text"]}, {"phase": 7}]
)
async def test_a_record_that_somebody_wrote_by_hand_is_shown(api, status):
    api.callers.add("team-a", "hello", status=status, spec=["odd"])
    (found,) = (await api.get(LAMBDAS)).data["items"]
    assert (found["name"], found["ready"]) == ("hello", "Unknown")
    assert (await api.get(f"{LAMBDAS}/hello")).data["spec"] == {}


async def test_one_lambda_is_shown_as_its_record_is(api):
    spec = {"runtime": "python3.11", "source": {"uri": "s3://x/y"}}
    api.callers.add("team-a", "hello", spec=spec, status=ready())
    found = (await api.get(f"{LAMBDAS}/hello")).data
    assert (found["spec"], found["status"]) == (spec, ready())
    assert found["deleting"] is False


async def test_a_version_that_the_caller_has_is_not_sent_again(api):
    item = api.callers.add("team-a", "hello")
    first = await api.get(f"{LAMBDAS}/hello")
    assert first.headers["etag"] == '"1"'
    assert first.headers["cache-control"] == "private, no-cache"
    for known in ('"1"', 'W/"1"', '"0", "1"', "*"):
        again = await api.get(f"{LAMBDAS}/hello", headers={"If-None-Match": known})
        assert (again.status, again.body, again.headers["etag"]) == (304, b"", '"1"')
    item["metadata"]["resourceVersion"] = "2"
    changed = await api.get(f"{LAMBDAS}/hello", headers={"If-None-Match": '"1"'})
    assert (changed.status, changed.headers["etag"]) == (200, '"2"')


async def test_a_list_that_kubernetes_no_longer_has_is_gone(api):
    response = await api.get(f"{LAMBDAS}?continue={EXPIRED}")
    assert (response.status, response.data["type"][-7:]) == (410, "Expired")


async def test_a_selector_that_kubernetes_does_not_take_is_the_callers_mistake(api):
    assert (await api.get(f"{LAMBDAS}?labelSelector=((")).status == 400


@pytest.mark.parametrize("path", ["", "/logs", "/builds", f"/builds/{BUILD}/log"])
async def test_what_is_not_there_is_not_found(api, path):
    response = await api.get(f"{LAMBDAS}/missing{path}")
    assert response.status == 404
    assert response.headers["content-type"] == "application/problem+json"


def keep_log(api, build, text="installed\n", function="team-a/hello"):
    api.storage.write(f"s3://own/logs/{function}/{build}.log", io.BytesIO(text.encode()))


async def test_builds_are_the_newest_and_those_whose_logs_are_kept(api):
    build = {"id": BUILD, "wishId": "1", "startedAt": "2026-12-01T11:00:00Z", "reason": "NoIndex"}
    api.callers.add("team-a", "hello", status={"phase": "Failed", "build": build})
    keep_log(api, OLDER)
    keep_log(api, BUILD, "failed\n")
    keep_log(api, "c" * 64, function="team-a/hello-2")
    newest, older = (await api.get(f"{LAMBDAS}/hello/builds")).data["items"]
    assert newest.pop("log")["sizeBytes"] == 7
    assert newest == {
        "id": BUILD,
        "newest": True,
        "phase": "Failed",
        "reason": "NoIndex",
        "startedAt": "2026-12-01T11:00:00Z",
    }
    assert (older["id"], older["newest"], older["log"]["sizeBytes"]) == (OLDER, False, 10)


async def test_the_log_of_a_build_is_plain_text(api):
    keep_log(api, BUILD, "<script>alert(1)</script>\n")
    response = await api.get(f"{LAMBDAS}/hello/builds/{BUILD}/log")
    assert response.body == b"<script>alert(1)</script>\n"
    assert response.headers["content-type"] == "text/plain; charset=utf-8"
    assert response.headers["x-content-type-options"] == "nosniff"


async def test_who_may_not_read_logs_in_a_namespace_reads_no_builds_log_of_it(api):
    keep_log(api, BUILD)
    path = f"{LAMBDAS}/hello/builds/{BUILD}/log"
    for token in ("team-b", "nobody"):
        response = await api.get(path, token)
        assert response.status == 403
        assert b"installed" not in response.body
    elsewhere = path.replace("team-a", "team-b")
    assert (await api.get(elsewhere, "team-b")).status == 404


async def test_the_log_of_one_pod_is_what_it_wrote_and_of_several_says_whose_each_line_is(api):
    api.callers.pod_logs["team-a", "hello"] = [PodLog(pod="p1", text="one\ntwo\n")]
    assert (await api.get(f"{LAMBDAS}/hello/logs")).body == b"one\ntwo\n"
    api.callers.pod_logs["team-a", "hello"].append(PodLog(pod="p2", text="three"))
    found = (await api.get(f"{LAMBDAS}/hello/logs?tail=5&timestamps=true")).body
    assert found == b"[p1] one\n[p1] two\n[p2] three\n"


async def test_a_lambda_without_pods_has_an_empty_log(api):
    api.callers.add("team-a", "hello")
    response = await api.get(f"{LAMBDAS}/hello/logs")
    assert (response.status, response.body) == (200, b"")
