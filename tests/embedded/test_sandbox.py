"""What a lambda and a build see and change of a machine on which bubblewrap works."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.helpers.changing_folders import regular_files
from tests.helpers.http_client import post_event
from tests.helpers.waiting import wait_for

if TYPE_CHECKING:
    from tests.embedded.helpers.embedded_platform import EmbeddedPlatform

# Runs what it is sent, as a lambda that somebody has taken over would.
TAKEN_OVER = """
def handler(event):
    scope = {}
    exec(event.data["code"], scope)
    return {"result": scope["result"]}
"""
LOOK = """
import os
def look(path):
    try:
        if os.path.isdir(path):
            return sorted(os.listdir(path))
        return open(path, "rb").read(20).decode(errors="replace")
    except OSError as error:
        return type(error).__name__
"""
WRITE = """
import os
def write(path):
    try:
        open(path, "ab").close()
        return "written"
    except OSError as error:
        return type(error).__name__
"""
JOBS = "/apis/batch/v1/namespaces/knative-lambda-builds/jobs"


def deploy(platform: EmbeddedPlatform, name: str, main: str = "def handler(event): pass") -> None:
    platform.send_build_start(name, {"main.py": main})
    platform.await_phase(name, "Ready")


def run_in(platform: EmbeddedPlatform, name: str, code: str) -> Any:
    """Run code in a lambda, and return what it calls `result`."""
    answer = post_event(platform.url(name), {"code": code}, type="t")
    assert answer.status == 200, answer
    return answer.data["result"]


def run_in_build(platform: EmbeddedPlatform, name: str, code: str) -> Any:
    """Run code as the container `build` of a Job, and return what it calls `result`."""
    script = f"{code}\nimport json; print(json.dumps(result))"
    container = {"name": "build", "image": "none", "command": ["python", "-c", script]}
    pod = {"restartPolicy": "Never", "containers": [container]}
    job = {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": name, "namespace": "knative-lambda-builds"},
        "spec": {"backoffLimit": 0, "template": {"spec": pod}},
    }
    assert platform.api("POST", JOBS, job).status == 201
    wait_for(lambda: platform.api("GET", f"{JOBS}/{name}").data["status"].get("succeeded") == 1)
    (log,) = (platform.home / "pods" / "knative-lambda-builds").glob(f"{name}-*/build.log")
    return json.loads(log.read_text())


@pytest.fixture
def taken_over(platform: EmbeddedPlatform, unique_name: str) -> str:
    deploy(platform, unique_name, TAKEN_OVER)
    return unique_name


@pytest.fixture
def victim(platform: EmbeddedPlatform, unique_name: str) -> str:
    name = f"{unique_name}-victim"
    deploy(platform, name)
    return name


@pytest.fixture(params=["lambda", "build"])
def run(request, platform: EmbeddedPlatform, unique_name: str):
    """Run code where it is foreign."""
    if request.param == "build":
        return lambda code: run_in_build(platform, unique_name, code)
    name = request.getfixturevalue("taken_over")
    return lambda code: run_in(platform, name, code)


def images(home: Path) -> list[Path]:
    return [path for path in (home / "images").iterdir() if not path.name.startswith(".")]


def test_neither_token_nor_state_nor_another_lambda_can_be_read(
    platform: EmbeddedPlatform, victim: str, run
):
    before = images(platform.home)
    places = [
        "kubeconfig", "token", "state.sqlite", "state.sqlite-wal", "platform.json", "lock",
        "storage", "storage/knative-lambda", f"registry/default/{victim}", "images/.layers",
    ]  # fmt: skip
    paths = [str(platform.home / place) for place in places] + [str(path) for path in before]
    (platform.home / "token").touch()
    seen = run(f"{LOOK}\nresult = {{path: look(path) for path in {paths!r}}}")
    own = [path for path, content in seen.items() if content not in ("FileNotFoundError", [])]
    # A lambda sees the image that it runs from, and no other.
    assert len(own) <= 1
    assert all(Path(path).parent.name == "images" for path in own)


def test_the_homes_of_people_and_their_temporary_files_cannot_be_read(run, tmp_path: Path):
    (tmp_path / "letter").write_text("private")
    home = Path.home()
    # Settings of installers are for builds.
    own = [path for path in home.glob(".*") if path.is_file() and path.name != ".npmrc"]
    paths = [str(tmp_path / "letter"), *map(str, own), "/run/lock", "/var/tmp"]
    seen = run(f"{LOOK}\nresult = [look(path) for path in {paths!r}]")
    assert set(map(str, seen)) <= {"FileNotFoundError", "[]"}


def test_another_lambdas_image_cannot_be_written(platform: EmbeddedPlatform, victim: str, run):
    folder = platform.home / "registry" / "default" / victim
    files = regular_files(folder)
    before = {path: path.read_bytes() for path in files}
    new = folder / "blobs" / "sha256" / ".new.partial"
    targets = [*map(str, files), str(new)]
    result = run(f"{WRITE}\nresult = [write(path) for path in {targets!r}]")
    assert set(result) == {"FileNotFoundError"}
    assert {path: path.read_bytes() for path in regular_files(folder)} == before


def test_nothing_of_the_machine_can_be_changed(run):
    paths = ["/etc/hosts", "/usr/bin/env", "/new", str(Path(os.__file__))]
    paths += ["/proc/sys/kernel/core_pattern", "/proc/sysrq-trigger", "/sys/power/state"]
    result = run(f"{WRITE}\nresult = [write(path) for path in {paths!r}]")
    assert "written" not in result


def test_no_capability_is_left_and_none_can_be_had(run):
    code = """
facts = dict(line.split(":", 1) for line in open("/proc/self/status"))
result = [int(facts[name], 16) for name in ("CapEff", "CapPrm", "CapAmb", "NoNewPrivs")]
"""
    assert run(code) == [0, 0, 0, 1]


def test_a_lambda_writes_to_its_home_and_its_temporary_folders(
    platform: EmbeddedPlatform, taken_over: str
):
    code = f"""{WRITE}
import tempfile
places = (os.environ["HOME"], os.environ["TMPDIR"], tempfile.gettempdir(), "/tmp", "/dev/shm")
result = [write(place + "/mine") for place in places]
result.append(write(os.environ["FUNCTION_ROOT"] + "/source/main.py"))
"""
    *written, image = run_in(platform, taken_over, code)
    assert written == ["written"] * 5
    assert image != "written"
    assert not Path("/tmp/mine").exists()


def test_a_lambda_resolves_names(platform: EmbeddedPlatform, taken_over: str):
    code = f"{LOOK}\nresult = look('/etc/resolv.conf')"
    assert run_in(platform, taken_over, code) == Path("/etc/resolv.conf").read_text()[:20]


def test_without_the_sandbox_functions_see_what_the_person_sees(start_platform, tmp_path: Path):
    (tmp_path / "letter").write_text("private")
    platform = start_platform("--no-sandbox")
    deploy(platform, "trusted", TAKEN_OVER)
    letter = str(tmp_path / "letter")
    assert run_in(platform, "trusted", f"{LOOK}\nresult = look({letter!r})") == "private"
    assert "no sandbox" in platform.log


def test_a_platform_with_its_sandbox_does_not_speak_of_it(platform: EmbeddedPlatform):
    assert "no sandbox" not in platform.log
