from __future__ import annotations

import os
import signal
import socket
import stat
import urllib.request
from typing import TYPE_CHECKING

from tests.helpers.changing_folders import regular_files
from tests.helpers.platform_access import trust
from tests.integration.platform.helpers.platform_process import is_running, processes_of, wait_until

if TYPE_CHECKING:
    from pathlib import Path

    from tests.integration.platform.helpers.platform_process import PlatformProcess


def test_a_ready_platform_says_where_it_is_and_who_it_is(platform: PlatformProcess):
    facts = platform.start().facts

    assert facts["pid"] == platform.process.pid
    assert set(facts["urls"]) == {"gateway", "broker", "api"}
    for url in (facts["urls"]["broker"] + "/health", facts["urls"]["api"] + "/readyz"):
        tls = trust(platform.home / "kubeconfig") if url.startswith("https:") else None
        with urllib.request.urlopen(url, timeout=10, context=tls) as response:
            assert response.status == 200


def test_sigterm_ends_it_in_order_and_leaves_no_process(platform: PlatformProcess, hold: str):
    platform.start()
    platform.create_job("build", hold)
    wait_until((platform.home.parent / "pid").exists)

    code, said = platform.stop()

    assert (code, "Traceback" in said) == (0, False)
    assert not platform.is_announced()
    assert processes_of(platform.home) == []


def test_a_signal_while_it_starts_ends_it_too(platform: PlatformProcess):
    platform.launch()
    wait_until((platform.home / "lock").exists)

    code, said = platform.stop()

    assert (code, "Traceback" in said) == (0, False)
    assert processes_of(platform.home) == []


def test_what_it_keeps_is_readable_by_its_owner_alone(platform: PlatformProcess, hold: str):
    before = os.umask(0)
    try:
        platform.start()
    finally:
        os.umask(before)
    platform.create_job("done", "print('said')")
    wait_until(lambda: platform.is_complete("done"))
    platform.create_job("under-way", hold)
    wait_until((platform.home.parent / "pid").exists)

    # What is kept as it came has a closed folder around it.
    kept = ("storage", "registry", "images", "runtimes", "cache")
    closed = [platform.home, *(platform.home / name for name in kept)]
    assert {stat.S_IMODE(folder.stat().st_mode) for folder in closed} == {0o700}
    files = [
        path
        for path in regular_files(platform.home)
        if path.relative_to(platform.home).parts[0] not in kept
    ]
    assert {"state.sqlite", "kubeconfig", "main.log"} <= {path.name for path in files}
    assert [path for path in files if stat.S_IMODE(path.stat().st_mode) & 0o077] == []


def test_platform_json_holds_no_token(platform: PlatformProcess):
    platform.start()

    token = (platform.home / "token").read_text().strip()
    assert token not in (platform.home / "platform.json").read_text()


def test_a_second_platform_on_the_same_folder_is_rejected(platform: PlatformProcess):
    platform.start()
    second = type(platform)(platform.home, platform.arguments)
    announced = platform.facts

    (platform.home / "platform.json").rename(platform.home / "kept")
    code, said = second.launch().wait()
    (platform.home / "kept").rename(platform.home / "platform.json")

    assert code == 1
    assert f"pid {platform.process.pid}" in said
    assert platform.facts == announced
    assert platform.process.poll() is None


def test_free_ports_stay_the_same_over_restarts(platform: PlatformProcess):
    before = platform.start().facts["urls"]
    platform.stop()

    assert platform.start().facts["urls"] == before


def test_a_taken_port_is_rejected_with_the_way_out(platform: PlatformProcess):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        platform.arguments += ["--broker-port", str(taken.getsockname()[1])]
        code, said = platform.launch().wait()

    assert code == 1
    assert "--broker-port" in said
    assert "Traceback" not in said


def test_a_configuration_that_cannot_be_read_is_named(
    platform: PlatformProcess, installation: Path
):
    (installation / "config" / "overlays" / "dev" / "kustomization.yaml").write_text("helm: {}")

    code, said = platform.launch().wait()

    assert code == 1
    assert "kustomization.yaml" in said
    assert "helm" in said
    assert "Traceback" not in said


def test_requirements_that_cannot_be_installed_are_named(
    platform: PlatformProcess, installation: Path
):
    requirements = installation / "runtimes" / "python" / "requirements.txt"
    requirements.write_text("no-such-package @ file:///no/such/folder")

    code, said = platform.launch().wait()

    assert code == 1
    assert "uv pip failed" in said
    assert "Traceback" not in said


def test_a_job_interrupted_by_kill_9_is_run_again(platform: PlatformProcess, hold: str):
    platform.start()
    platform.create_job("build", hold)
    pid_file = platform.home.parent / "pid"
    wait_until(pid_file.exists)
    interrupted = int(pid_file.read_text())
    pid_file.unlink()

    platform.kill()
    wait_until(lambda: not is_running(interrupted))
    platform.start()
    wait_until(pid_file.exists)
    (platform.home.parent / "go").touch()

    wait_until(lambda: platform.is_complete("build"))
    assert "failed" not in platform.job_status("build")


def test_a_finished_job_is_not_run_again_after_kill_9(platform: PlatformProcess):
    platform.start()
    counter = platform.home.parent / "runs"
    platform.create_job("build", f"open({str(counter)!r}, 'a').write('x')")
    wait_until(lambda: platform.is_complete("build"))
    before = platform.job_status("build")

    platform.kill()
    platform.start()
    platform.create_job("later", "pass")
    wait_until(lambda: platform.is_complete("later"))

    assert counter.read_text() == "x"
    assert platform.job_status("build") == before


def test_interrupting_from_the_keyboard_ends_it_like_sigterm(platform: PlatformProcess):
    platform.start()
    os.kill(platform.process.pid, signal.SIGINT)
    assert platform.wait()[0] == 0
