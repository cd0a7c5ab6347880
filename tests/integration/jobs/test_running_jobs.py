from __future__ import annotations

import base64
import json
import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from tests.integration.jobs.helpers.running_jobs import Jobs


async def test_containers_run_in_order_and_share_their_volume(running: Jobs):
    running.create(
        "build",
        "import os; open(os.environ['BUILD_WORKSPACE'] + '/a', 'w').write('from the first')",
        "import os; print(open(os.environ['FILE']).read())",
        container={
            "env": [
                {"name": "BUILD_WORKSPACE", "value": "/workspace"},
                {"name": "FILE", "value": "/workspace/a"},
            ],
            "volumeMounts": [{"name": "workspace", "mountPath": "/workspace"}],
        },
        pod={"volumes": [{"name": "workspace", "emptyDir": {}}]},
    )

    assert await running.finished("build") == ("Complete", "CompletionsReached")

    (pod,) = running.pods("build")
    assert running.log(pod, "step-1") == "from the first\n"
    assert pod["status"]["phase"] == "Succeeded"
    assert running.job("build")["status"]["succeeded"] == 1
    assert "completionTime" in running.job("build")["status"]


async def test_a_pod_belongs_to_its_job(running: Jobs):
    job = running.create("build", "pass")

    await running.finished("build")

    (pod,) = running.pods("build")
    assert pod["metadata"]["name"].startswith("build-")
    assert pod["metadata"]["labels"]["batch.kubernetes.io/job-name"] == "build"
    assert pod["metadata"]["ownerReferences"][0]["uid"] == job["metadata"]["uid"]


async def test_a_failed_step_ends_the_pod_with_its_message(running: Jobs):
    last_words = json.dumps({"reason": "NoSuchPackage", "message": "nope"})
    script = (
        "import os; path = os.environ['TERMINATION_MESSAGE_PATH']; "
        f"open(path, 'w').write({last_words!r}); raise SystemExit(1)"
    )
    running.create("build", "pass", script, "print('never')")

    assert await running.finished("build") == ("Failed", "BackoffLimitExceeded")

    (pod,) = running.pods("build")
    first, second = pod["status"]["initContainerStatuses"]
    assert first["state"]["terminated"]["reason"] == "Completed"
    assert second["state"]["terminated"]["exitCode"] == 1
    assert second["state"]["terminated"]["reason"] == "Error"
    assert second["state"]["terminated"]["message"] == last_words
    assert "waiting" in pod["status"]["containerStatuses"][0]["state"]
    assert not running.log_file(pod, "step-2").exists()


async def test_a_termination_message_is_cut_at_4096_bytes(running: Jobs):
    script = "import os; open(os.environ['TERMINATION_MESSAGE_PATH'], 'w').write('x' * 100_000)"
    running.create("build", script)

    await running.finished("build")

    (pod,) = running.pods("build")
    message = pod["status"]["containerStatuses"][0]["state"]["terminated"]["message"]
    assert len(message) == 4096


async def test_a_termination_message_is_never_read_through_a_link(running: Jobs, tmp_path: Path):
    (tmp_path / "secret").write_text("hidden")
    script = (
        "import os; p = os.environ['TERMINATION_MESSAGE_PATH']; os.unlink(p); "
        f"os.symlink({str(tmp_path / 'secret')!r}, p)"
    )
    running.create("build", script)

    await running.finished("build")

    (pod,) = running.pods("build")
    assert "message" not in pod["status"]["containerStatuses"][0]["state"]["terminated"]


async def test_a_container_sees_its_own_environment_and_not_the_platforms(
    running: Jobs, monkeypatch
):
    monkeypatch.setenv("PLATFORM_PASSWORD", "hidden")
    running.objects.create(
        "Secret",
        {
            "metadata": {"namespace": "builds", "name": "token"},
            "data": {"value": base64.b64encode(b"swordfish").decode()},
        },
    )
    reference = {"secretKeyRef": {"name": "token", "key": "value"}}
    running.create(
        "build",
        "import os; print(os.environ['TOKEN'], 'PLATFORM_PASSWORD' in os.environ)",
        container={"env": [{"name": "TOKEN", "valueFrom": reference}]},
    )

    await running.finished("build")

    assert running.log(running.pods("build")[0], "step-0") == "swordfish False\n"


async def test_a_secret_volume_becomes_private_files(running: Jobs):
    running.objects.create(
        "Secret",
        {
            "metadata": {"namespace": "builds", "name": "registry"},
            "data": {".dockerconfigjson": base64.b64encode(b"{}").decode()},
        },
    )
    secret = {
        "secretName": "registry",
        "items": [{"key": ".dockerconfigjson", "path": "config.json"}],
    }
    running.create(
        "build",
        "import os; p = os.environ['DOCKER_CONFIG'] + '/config.json'; "
        "print(open(p).read(), oct(os.stat(p).st_mode & 0o777))",
        container={
            "env": [{"name": "DOCKER_CONFIG", "value": "/registry"}],
            "volumeMounts": [{"name": "registry", "mountPath": "/registry"}],
        },
        pod={"volumes": [{"name": "registry", "secret": secret}]},
    )

    await running.finished("build")

    assert running.log(running.pods("build")[0], "step-0") == "{} 0o600\n"


async def test_a_missing_secret_fails_the_job_and_is_named(running: Jobs):
    secret = {"secretName": "registry"}
    running.create("build", "pass", pod={"volumes": [{"name": "registry", "secret": secret}]})

    await running.finished("build")

    (pod,) = running.pods("build")
    ended = pod["status"]["containerStatuses"][0]["state"]["terminated"]
    assert (ended["exitCode"], ended["reason"]) == (128, "StartError")
    assert "Secret builds/registry" in ended["message"]


async def test_a_missing_program_fails_the_job_and_is_named(running: Jobs):
    running.create("build", "pass", container={"command": ["no-such-program"]})

    await running.finished("build")

    (pod,) = running.pods("build")
    ended = pod["status"]["containerStatuses"][0]["state"]["terminated"]
    assert ended["exitCode"] == 128
    assert "no-such-program" in ended["message"]


async def test_python_is_the_interpreter_of_the_platform(running: Jobs):
    running.create("build", "import sys; print(sys.executable)")

    await running.finished("build")

    assert running.log(running.pods("build")[0], "step-0").strip() == sys.executable


async def test_nothing_but_logs_is_left_of_a_finished_pod(running: Jobs):
    script = "import os; os.makedirs('sealed/below'); os.chmod('sealed', 0o500)"
    running.create("build", script)

    await running.finished("build")

    assert list((running.folder / "builds").glob("*/*")) == []
    assert running.log_file(running.pods("build")[0], "step-0").exists()


async def test_a_container_above_its_memory_limit_is_killed(running: Jobs):
    script = "import time; block = b'x' * 200_000_000; time.sleep(60)"
    limits = {"resources": {"limits": {"memory": "64Mi"}}}
    running.create("build", script, container=limits)

    await running.finished("build")

    ended = running.pods("build")[0]["status"]["containerStatuses"][0]["state"]["terminated"]
    assert (ended["exitCode"], ended["reason"]) == (137, "OOMKilled")


async def test_a_container_runs_at_low_priority(running: Jobs):
    running.create("build", "import os; print(os.nice(0))")

    await running.finished("build")

    assert int(running.log(running.pods("build")[0], "step-0")) >= min(19, os.nice(0) + 10)
