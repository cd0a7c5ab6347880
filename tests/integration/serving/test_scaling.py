"""From zero, up, and back to zero."""

from __future__ import annotations

import asyncio
import json


async def test_a_new_service_is_ready_at_the_url_of_its_status(platform):
    platform.apply()
    status = await platform.ready()
    assert status["url"] == status["address"]["url"] == f"{platform.url}/team/hello"
    assert status["latestReadyRevisionName"] == "hello-00001"
    assert status["traffic"][0]["percent"] == 100
    assert {item["type"] for item in status["conditions"]} == {
        "ConfigurationsReady",
        "Ready",
        "RoutesReady",
    }
    async with platform.client.get(status["url"]) as response:
        assert response.status == 200


async def test_requests_that_come_together_at_zero_share_one_start(start_platform):
    async with start_platform(idle_window_seconds=0.05) as platform:
        platform.apply()
        await platform.ready()
        await platform.scaled_to_zero()
        before = len(platform.starts())
        responses = await asyncio.gather(*(platform.get() for _ in range(10)))
        assert {status for status, _ in responses} == {200}
        assert len({json.loads(body)["pid"] for _, body in responses}) == 1
        assert len(platform.starts()) == before + 1


async def test_a_process_is_never_stopped_with_a_request_under_way(start_platform, tmp_path):
    async with start_platform(idle_window_seconds=0.05) as platform:
        platform.apply("busy")
        platform.apply("idle")
        await platform.ready("busy")
        await platform.ready("idle")
        request = asyncio.ensure_future(platform.get(f"/wait{tmp_path}/go", "busy"))
        # The other Service goes to zero by the same window: that much time has passed.
        await platform.get("/", "idle")
        await platform.scaled_to_zero("idle")
        (tmp_path / "go").touch()
        assert await request == (200, "waited")
        await platform.scaled_to_zero("busy")


async def test_requests_meet_a_process_that_stops_without_an_error(start_platform):
    async with start_platform(idle_window_seconds=0.001) as platform:
        platform.apply()
        await platform.ready()
        for turn in range(20):
            assert (await platform.get())[0] == 200
            # So that the next one comes before, while and after the process stops.
            await asyncio.sleep(turn / 1000)
        assert len(platform.starts()) > 5


async def test_the_log_of_a_stopped_process_stays_readable_and_older_ones_go(start_platform):
    async with start_platform(idle_window_seconds=0.02) as platform:
        platform.apply()
        await platform.ready()
        for turn in range(3):
            await platform.get(f"/turn-{turn}")
            await platform.scaled_to_zero()
        await platform.until(lambda: len(platform.pods()) == 1)
        (pod,) = platform.pods()
        assert "/turn-2" in platform.log(pod)
        assert len(list((platform.folder / "pods" / "team").iterdir())) == 1


async def test_the_last_process_stays_for_its_retention_period(start_platform):
    async with start_platform(idle_window_seconds=0.02) as platform:
        retention = {"autoscaling.knative.dev/scale-to-zero-pod-retention-period": "1h"}
        platform.apply("stays", annotations=retention)
        platform.apply("goes")
        for _ in range(3):
            await platform.ready("stays")
            await platform.ready("goes")
            await platform.get("/", "goes")
            await platform.scaled_to_zero("goes")
        assert [pod["status"]["phase"] for pod in platform.pods("stays")] == ["Running"]


async def test_no_process_gets_more_requests_at_once_than_its_concurrency(platform):
    platform.apply(containerConcurrency=2, annotations={"autoscaling.knative.dev/max-scale": "1"})
    await platform.ready()
    responses = await asyncio.gather(*(platform.get() for _ in range(50)))
    assert max(json.loads(body)["most"] for _, body in responses) <= 2
    assert len(platform.starts()) == 1


async def test_more_processes_start_when_all_are_busy_up_to_the_maximum(platform, tmp_path):
    platform.apply(containerConcurrency=1, annotations={"autoscaling.knative.dev/max-scale": "3"})
    await platform.ready()
    path = f"/wait{tmp_path}/go"
    requests = [asyncio.ensure_future(platform.get(path)) for _ in range(6)]
    await platform.until(lambda: len(platform.starts()) == 3 or None)
    (tmp_path / "go").touch()
    assert await asyncio.gather(*requests) == [(200, "waited")] * 6
    assert len(platform.starts()) == 3


async def test_the_minimum_stays_when_the_rest_goes(start_platform, tmp_path):
    async with start_platform(idle_window_seconds=0.05) as platform:
        annotations = {"autoscaling.knative.dev/min-scale": "1"}
        platform.apply(containerConcurrency=1, annotations=annotations)
        await platform.ready()
        requests = [platform.get(f"/wait{tmp_path}/go") for _ in range(2)]
        together = asyncio.gather(*requests)
        await platform.until(
            lambda: sum(pod["status"]["phase"] == "Running" for pod in platform.pods()) == 2
        )
        (tmp_path / "go").touch()
        await together
        await platform.until(
            lambda: [pod["status"]["phase"] for pod in platform.pods()].count("Running") == 1
        )
        starts = len(platform.starts())
        assert (await platform.get())[0] == 200
        assert len(platform.starts()) == starts


async def test_a_client_that_leaves_frees_its_slot(platform, tmp_path):
    platform.apply(containerConcurrency=1, annotations={"autoscaling.knative.dev/max-scale": "1"})
    await platform.ready()
    request = asyncio.ensure_future(platform.get(f"/wait{tmp_path}/never"))
    await platform.seen("/never")
    request.cancel()
    assert (await platform.get())[0] == 200


async def test_requests_beyond_the_limit_of_held_ones_are_told_to_come_back(
    start_platform, tmp_path
):
    async with start_platform(held_requests_limit=2) as platform:
        one = {"autoscaling.knative.dev/max-scale": "1"}
        platform.apply(containerConcurrency=1, annotations=one)
        await platform.ready()
        path = f"/wait{tmp_path}/go"
        requests = [asyncio.ensure_future(platform.get(path)) for _ in range(4)]
        done, held = await asyncio.wait(requests, return_when=asyncio.FIRST_COMPLETED)
        status, body = done.pop().result()
        assert (status, json.loads(body)["reason"]) == (503, "TooManyRequests")
        (tmp_path / "go").touch()
        assert {request.result()[0] for request in (await asyncio.wait(held))[0]} == {200}


async def test_a_request_that_takes_too_long_gets_504(platform, tmp_path):
    platform.apply(timeoutSeconds=1)
    await platform.ready()
    status, body = await platform.get(f"/wait{tmp_path}/never")
    assert (status, json.loads(body)["reason"]) == (504, "Timeout")
