"""Processes that end unasked, and a platform that is killed."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from pathlib import Path

from lambda_sandbox.leftovers import end_leftovers


async def test_a_crash_fails_the_request_under_way_and_the_next_one_gets_a_new_process(platform):
    platform.apply()
    await platform.ready()
    status, body = await platform.get("/crash")
    assert (status, json.loads(body)["reason"]) == (502, "FunctionCrashed")
    assert (await platform.get())[0] == 200
    assert len(platform.starts()) == 2
    assert len(platform.pods()) == 1
    await platform.until(lambda: platform.pods()[0]["status"]["containerStatuses"][0]["ready"])
    assert platform.pods()[0]["status"]["containerStatuses"][0]["restartCount"] == 1


async def test_what_a_function_wrote_is_shown_to_no_caller(start_platform, tmp_path):
    async with start_platform(idle_window_seconds=0.02, longest_backoff_seconds=1.0) as platform:
        platform.apply(environment={"FAIL_IF": str(tmp_path / "broken")})
        await platform.ready()
        responses = [await platform.get("/crash")]
        (tmp_path / "broken").touch()
        while responses[-1][0] != 503:
            responses.append(await platform.get())
        platform.apply("second", environment={"FAIL": "no handler here"})
        responses.append(await platform.get(name="second"))
        logged = "".join(platform.log(pod) for pod in platform.pods())
    reasons = [json.loads(body)["reason"] for status, body in responses if status != 200]
    assert {reasons[0], *reasons[-2:]} == {"FunctionCrashed", "CrashLoopBackOff", "NotReady"}
    for written in ("took the process down", "told to fail", "no handler here"):
        assert not any(written in body for _, body in responses)
    assert "took the process down" in logged


async def test_a_request_is_sent_to_a_crashing_process_once_only(platform):
    platform.apply()
    await platform.ready()
    assert (await platform.get())[0] == 200  # so that the next one reuses the connection
    assert (await platform.get("/crash"))[0] == 502
    assert sum(platform.log(pod).count("/crash") for pod in platform.pods()) == 1


async def test_requests_held_during_a_crash_wait_for_the_next_start(platform, tmp_path):
    platform.apply(containerConcurrency=1, annotations={"autoscaling.knative.dev/max-scale": "1"})
    await platform.ready()
    first = asyncio.ensure_future(platform.get(f"/wait{tmp_path}/never"))
    await platform.seen("/never")
    held = [asyncio.ensure_future(platform.get()) for _ in range(5)]
    await platform.holds(5)
    os.kill(int(platform.starts()[0].split()[0]), signal.SIGKILL)
    assert (await first)[0] == 502
    assert {status for status, _ in await asyncio.gather(*held)} == {200}
    assert len(platform.starts()) == 2


async def test_a_crash_loop_is_rejected_until_the_program_is_well(start_platform, tmp_path):
    async with start_platform(
        idle_window_seconds=0.02, first_backoff_seconds=0.01, longest_backoff_seconds=1.0
    ) as platform:
        platform.apply(environment={"FAIL_IF": str(tmp_path / "broken")})
        await platform.ready()
        await platform.scaled_to_zero()
        (tmp_path / "broken").touch()
        status, body = await platform.get()
        assert (status, json.loads(body)["reason"]) == (503, "CrashLoopBackOff")
        assert len(platform.starts()) == 1 + 3
        waiting = [
            pod["status"]["containerStatuses"][0]["state"].get("waiting", {}).get("reason")
            for pod in platform.pods()
        ]
        assert "CrashLoopBackOff" in waiting
        (tmp_path / "broken").unlink()
        async with asyncio.timeout(30):
            while (await platform.get())[0] != 200:  # noqa: ASYNC110
                await asyncio.sleep(0.01)


async def test_the_minimum_is_started_again_without_a_request(platform):
    platform.apply(annotations={"autoscaling.knative.dev/min-scale": "1"})
    await platform.ready()
    os.kill(int(platform.starts()[0].split()[0]), signal.SIGKILL)
    await platform.until(lambda: platform.restarts() == 1)


async def test_a_killed_platform_leaves_no_child(tmp_path):
    platform = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.integration.serving.helpers.small_platform",
        str(tmp_path),
        cwd=Path(__file__).parents[3],
        stdout=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(60):
        children = [int(await platform.stdout.readline()) for _ in range(2)]
    platform.kill()
    await platform.wait()
    async with asyncio.timeout(20):
        while any(is_alive(pid) for pid in children):  # noqa: ASYNC110  # not our children
            await asyncio.sleep(0.01)


async def test_the_next_start_ends_what_a_killed_platform_left(start_platform, tmp_path):
    # A grandchild has no parent-death signal: only its marker tells whose it was.
    left = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        "print('up', flush=True); import time; time.sleep(600)",
        env={"KN_LAMBDA_EMBEDDED": str(tmp_path)},
        stdout=asyncio.subprocess.PIPE,
        start_new_session=True,
    )
    await left.stdout.readline()
    async with start_platform():
        assert await left.wait() == -signal.SIGKILL
    assert await end_leftovers(tmp_path) == 0


def is_alive(pid: int) -> bool:
    return Path(f"/proc/{pid}/cmdline").exists()
