"""New revisions, failing revisions, deletion, and a platform that comes back."""

from __future__ import annotations

import asyncio
import base64
import json

import pytest

from knative_lambda.manifests import labels
from tests.integration.helpers.serving_platform import TestLauncher


async def test_an_update_under_load_loses_no_request(platform):
    platform.apply(environment={"VERSION": "1"})
    await platform.ready()
    responses = []
    is_over = asyncio.Event()

    async def load() -> None:
        while not is_over.is_set():
            responses.append(await platform.get())

    clients = [asyncio.ensure_future(load()) for _ in range(8)]
    for version in ("2", "3", "4"):
        platform.apply(environment={"VERSION": version})
        await platform.ready()
    is_over.set()
    await asyncio.gather(*clients)
    assert {status for status, _ in responses} == {200}
    assert json.loads((await platform.get())[1])["version"] == "4"
    assert (await platform.ready())["latestReadyRevisionName"] == "hello-00004"


async def test_a_request_under_way_is_finished_by_the_old_revision(platform, tmp_path):
    platform.apply(environment={"VERSION": "1"})
    await platform.ready()
    old = asyncio.ensure_future(platform.get(f"/wait{tmp_path}/go"))
    await platform.seen("/wait")
    platform.apply(environment={"VERSION": "2"})
    await platform.ready()
    assert json.loads((await platform.get())[1])["version"] == "2"
    (tmp_path / "go").touch()
    assert await old == (200, "waited")


async def test_a_failure_is_told_before_old_images_are_looked_for(start_platform, tmp_path):
    may_end = asyncio.Event()

    class SlowLauncher(TestLauncher):
        async def collect(self, templates):
            await may_end.wait()

    async with start_platform(SlowLauncher(tmp_path)) as platform:
        for version in range(4):
            platform.apply(environment={"VERSION": str(version), "FAIL": "always"})
            await platform.ready(status="False")
        may_end.set()


async def test_a_failing_revision_is_reported_and_the_old_one_keeps_serving(platform):
    platform.apply(environment={"VERSION": "1"})
    await platform.ready()
    platform.apply(environment={"VERSION": "2", "FAIL": "cannot import name 'gone'"})
    status = await platform.ready(status="False")
    ready = next(item for item in status["conditions"] if item["type"] == "Ready")
    assert ready["reason"] == "RevisionFailed"
    assert "cannot import name 'gone'" in ready["message"]
    assert len(ready["message"].encode()) <= 1024
    assert status["latestCreatedRevisionName"] == "hello-00002"
    assert status["latestReadyRevisionName"] == "hello-00001"
    assert json.loads((await platform.get())[1])["version"] == "1"
    platform.apply(environment={"VERSION": "3"})
    await platform.ready()
    assert json.loads((await platform.get())[1])["version"] == "3"


async def test_a_service_that_was_never_ready_answers_503_and_its_status_has_the_reason(platform):
    platform.apply(environment={"FAIL": "no handler here"})
    said = await platform.ready(status="False")
    status, body = await platform.get()
    assert status == 503
    assert json.loads(body)["reason"] == "NotReady"
    assert "no handler here" in str(said["conditions"])


async def test_a_request_waits_while_the_first_revision_starts(platform, tmp_path):
    platform.apply(environment={"VERSION": "1", "READY_IF": str(tmp_path / "go")})
    await platform.ready(status="Unknown")
    early = asyncio.ensure_future(platform.get())
    assert not (await asyncio.wait({early}, timeout=0.1))[0]
    (tmp_path / "go").touch()
    status, body = await early
    assert (status, json.loads(body)["version"]) == (200, "1")


async def test_a_revision_that_never_gets_ready_fails_at_its_deadline(platform, tmp_path):
    platform.apply(
        environment={"READY_IF": str(tmp_path / "never")},
        annotations={"serving.knative.dev/progress-deadline": "300ms"},
    )
    status = await platform.ready(status="False")
    assert "not ready after 0.3 s (GET /health/readiness failed)" in str(status["conditions"])


async def test_a_port_that_is_taken_costs_another_try_only(platform, tmp_path):
    platform.apply(environment={"PORT_IS_TAKEN": str(tmp_path / "tried")})
    await platform.ready()
    assert len(platform.starts()) == 2


async def test_a_newer_template_overtakes_one_that_is_still_starting(platform, tmp_path):
    platform.apply(environment={"READY_IF": str(tmp_path / "never")})
    await platform.ready(status="Unknown")
    platform.apply(environment={"VERSION": "2"})
    status = await platform.ready()
    assert status["latestReadyRevisionName"] == "hello-00002"


async def test_a_missing_secret_is_named_and_waited_for(platform):
    reference = {"secretKeyRef": {"name": "keys", "key": "token"}}
    platform.apply(environment={"TOKEN": reference})
    status = await platform.ready(status="False")
    assert "env TOKEN: Secret team/keys does not exist" in str(status["conditions"])
    secret = {
        "metadata": {"namespace": "team", "name": "keys"},
        "data": {"token": base64.b64encode(b"s3cret").decode()},
    }
    platform.objects.create("Secret", secret)
    assert (await platform.ready())["latestReadyRevisionName"] == "hello-00001"
    assert json.loads((await platform.get())[1])["environment"]["TOKEN"] == "s3cret"


async def test_a_failed_revision_is_tried_again_when_the_service_is_deployed_again(
    platform, tmp_path
):
    (tmp_path / "down").touch()
    platform.apply(environment={"FAIL_IF": str(tmp_path / "down")})
    await platform.ready(status="False")
    (tmp_path / "down").unlink()
    service = platform.objects.get("Service", "team", "hello")
    service["metadata"]["annotations"] = {"knative-lambda.dev/generation": "2"}
    platform.objects.update("Service", service)
    assert (await platform.ready())["latestReadyRevisionName"] == "hello-00001"


async def test_a_failed_revision_is_tried_again_when_its_failure_is_taken_back(platform, tmp_path):
    """As the next request for the same lambda does, of which its template says nothing."""
    (tmp_path / "down").touch()
    platform.apply(environment={"FAIL_IF": str(tmp_path / "down")})
    await platform.ready(status="False")
    service = platform.objects.get("Service", "team", "hello")
    service["metadata"]["labels"] = {labels.FAILED: "true"}
    service = platform.objects.update("Service", service)
    (tmp_path / "down").unlink()
    service["metadata"]["labels"] = {}
    platform.objects.update("Service", service)
    assert (await platform.ready())["latestReadyRevisionName"] == "hello-00001"
    assert len(platform.starts()) == 2


async def test_a_template_that_makes_no_sense_fails_with_its_mistake(platform):
    platform.apply(containerConcurrency="many")
    status = await platform.ready(status="False")
    assert "spec.template" in str(status["conditions"])
    platform.apply()
    await platform.ready()


async def test_a_lambda_sees_its_own_environment_and_nothing_of_the_platform(platform):
    platform.apply(environment={"VERSION": "1"})
    await platform.ready()
    environment = json.loads((await platform.get())[1])["environment"]
    assert environment["K_SERVICE"] == environment["K_CONFIGURATION"] == "hello"
    assert environment["K_REVISION"] == "hello-00001"
    assert environment["HOME"].startswith(str(platform.folder))
    assert environment["HOST"] == "127.0.0.1"
    names = {"HOME", "TMPDIR", "PATH", "LANG", "HOST", "PORT", "VERSION", "STARTS"}
    names |= {"KN_LAMBDA_EMBEDDED"}
    unasked = ("K_", "LC_", "PYTHONUNBUFFERED")
    assert {name for name in environment if not name.startswith(unasked)} == names


async def test_deletion_ends_the_processes_and_removes_pods_logs_and_revisions(platform):
    platform.apply()
    await platform.ready()
    platform.objects.delete("Service", "team", "hello")
    await platform.until(lambda: not platform.pods() and not platform.objects.list("Revision"))
    assert list((platform.folder / "pods" / "team").iterdir()) == []
    status, body = await platform.get()
    assert (status, json.loads(body)["reason"]) == (404, "NotFound")
    assert platform.serving.url_of("team", "hello") is None


async def test_a_service_made_again_at_once_starts_from_its_first_revision(platform):
    platform.apply(environment={"VERSION": "1"})
    await platform.ready()
    platform.objects.delete("Service", "team", "hello")
    platform.apply(environment={"VERSION": "2"})
    status = await platform.ready()
    assert status["latestReadyRevisionName"] == "hello-00001"
    assert json.loads((await platform.get())[1])["version"] == "2"


async def test_requests_held_while_the_service_is_deleted_get_404(platform, tmp_path):
    platform.apply(containerConcurrency=1, annotations={"autoscaling.knative.dev/max-scale": "1"})
    await platform.ready()
    path = f"/wait{tmp_path}/never"
    requests = [asyncio.ensure_future(platform.get(path)) for _ in range(2)]
    await platform.seen("/wait")
    platform.objects.delete("Service", "team", "hello")
    assert sorted(status for status, _ in await asyncio.gather(*requests)) == [404, 502]


async def test_a_revision_with_a_request_under_way_is_kept(platform, tmp_path):
    platform.apply(environment={"VERSION": "1"})
    await platform.ready()
    request = asyncio.ensure_future(platform.get(f"/wait{tmp_path}/go"))
    await platform.seen("/wait")
    for version in range(2, 6):
        platform.apply(environment={"VERSION": str(version)})
        await platform.ready()
    names = [item["metadata"]["name"] for item in platform.objects.list("Revision")]
    assert "hello-00001" in names
    (tmp_path / "go").touch()
    assert await request == (200, "waited")
    await platform.until(lambda: len(platform.objects.list("Revision")) == 2)


async def test_old_revisions_go_with_their_logs(platform):
    for version in range(1, 6):
        platform.apply(environment={"VERSION": str(version)})
        await platform.ready()
    await platform.until(lambda: len(platform.objects.list("Revision")) == 2)
    names = [item["metadata"]["name"] for item in platform.objects.list("Revision")]
    assert names == ["hello-00004", "hello-00005"]


async def test_after_a_restart_nothing_runs_until_a_request_comes(start_platform):
    async with start_platform() as platform:
        platform.apply()
        await platform.ready()
    async with start_platform() as platform:
        await platform.until(lambda: platform.serving.url_of("team", "hello"))
        status = await platform.ready()
        assert status["latestReadyRevisionName"] == "hello-00001"
        assert len(platform.starts()) == 1
        assert (await platform.get())[0] == 200
        assert len(platform.starts()) == 2


async def test_a_secret_that_came_right_before_the_platform_ended_is_not_overlooked(start_platform):
    async with start_platform() as platform:
        platform.apply(environment={"TOKEN": {"secretKeyRef": {"name": "keys", "key": "token"}}})
        await platform.ready(status="False")
        await platform.serving.stop()
        metadata = {"namespace": "team", "name": "keys"}
        platform.objects.create("Secret", {"metadata": metadata, "data": {"token": "eA=="}})
    async with start_platform() as platform:
        assert (await platform.ready())["latestReadyRevisionName"] == "hello-00001"


async def test_a_revision_that_was_starting_when_the_platform_stopped_is_started_again(
    start_platform, tmp_path
):
    async with start_platform() as platform:
        platform.apply(environment={"READY_IF": str(tmp_path / "up")})
        await platform.ready(status="Unknown")
    (tmp_path / "up").touch()
    async with start_platform() as platform:
        assert (await platform.ready())["latestReadyRevisionName"] == "hello-00001"


@pytest.mark.parametrize("gone", ["Service", "Revision"])
async def test_what_was_deleted_while_the_platform_was_down_is_cleared_up(start_platform, gone):
    async with start_platform() as platform:
        platform.apply()
        await platform.ready()
        await platform.serving.stop()
        platform.objects.delete("Service", "team", "hello")
        if gone == "Revision":
            platform.objects.delete("Revision", "team", "hello-00001")
            for pod in platform.pods():
                platform.objects.delete("Pod", "team", pod["metadata"]["name"])
    async with start_platform() as platform:
        await platform.until(lambda: not platform.objects.list("Revision"))
        assert platform.pods() == []
        assert list((platform.folder / "pods" / "team").iterdir()) == []
