"""`make deploy` and builds from Dockerfiles: what the programs they stand on are asked.

func, kubectl, docker, podman and buildah are stood in for by a program that notes its arguments.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[3]
DIGEST = f"sha256:{'ab' * 32}"
FUNCTIONS = sorted(file.parent.name for file in (CHECKOUT / "functions").glob("*/func.yaml"))
# Notes what it is asked, answers as each of the real ones does, and changes func.yaml like func.
STAND_IN = f"""#!{sys.executable}
import json, pathlib, sys
arguments = sys.argv[1:]
with open(pathlib.Path(__file__).with_name("asked"), "a") as asked:
    asked.write(json.dumps(arguments) + "\\n")
if arguments[0] == "deploy":
    file = pathlib.Path(arguments[2]) / "func.yaml"
    file.write_text(file.read_text() + "# deployed\\n")
if arguments[:2] == ["create", "secret"]:
    secrets = pathlib.Path(__file__).with_name("secrets")
    known = secrets.read_text().split() if secrets.exists() else []
    if arguments[3] in known:
        sys.exit('error: failed to create secret secrets "x" already exists')
    if "forbidden" in known:
        sys.exit("Error from server (Forbidden): no")
    secrets.write_text(" ".join([*known, arguments[3]]))
if "--digestfile" in arguments:
    pathlib.Path(arguments[arguments.index("--digestfile") + 1]).write_text("{DIGEST}")
elif arguments[0] == "push":
    print("latest: digest: {DIGEST} size: 1")
if "inspect" in arguments:
    print(json.dumps([{{"RepoDigests": ["python@{DIGEST}"]}}]))
"""


@pytest.fixture
def bin_folder(tmp_path):
    folder = tmp_path / "bin"
    folder.mkdir()
    return folder


def install(folder, name):
    (folder / name).write_text(STAND_IN)
    (folder / name).chmod(0o755)


def asked(folder):
    return [json.loads(line) for line in (folder / "asked").read_text().splitlines()]


def deployments(folder):
    return [arguments for arguments in asked(folder) if arguments[0] == "deploy"]


def run(folder, *arguments):
    environment = {"PATH": f"{folder}{os.pathsep}/nonexistent", "HOME": str(folder)}
    command = [sys.executable, "-m", *arguments]
    return subprocess.run(
        command, cwd=CHECKOUT, env=environment, capture_output=True, text=True, check=False
    )


def deploy(folder, *arguments):
    images = folder / "images.json"
    images.write_text(json.dumps({name: f"r:5000/p/{name}@{DIGEST}" for name in FUNCTIONS}))
    return run(folder, "images.deploy", "--images", str(images), *arguments)


def make_images(folder, engine="auto"):
    arguments = ["--registry", "10.0.0.1:5000/p", "--engine", engine, "--only", "delete"]
    return run(folder, "images", *arguments, "--cache", str(folder / "cache"))


def test_one_function_is_deployed_by_digest_without_a_build(bin_folder):
    install(bin_folder, "func")
    install(bin_folder, "kubectl")
    assert deploy(bin_folder, "delete").returncode == 0
    (arguments,) = deployments(bin_folder)
    assert arguments[:2] == ["deploy", "--path"]
    assert arguments[3:5] == ["--image", f"r:5000/p/delete@{DIGEST}"]
    assert {"--build=false", "--push=false", "--namespace"} <= {*arguments}
    assert arguments[arguments.index("--namespace") + 1] == "knative-lambda"


def test_all_functions_are_deployed_when_none_is_named_and_the_checkout_stays(bin_folder):
    install(bin_folder, "func")
    install(bin_folder, "kubectl")
    before = [(CHECKOUT / f"functions/{name}/func.yaml").read_text() for name in FUNCTIONS]
    assert deploy(bin_folder).returncode == 0
    assert [Path(arguments[2]).name for arguments in deployments(bin_folder)] == FUNCTIONS
    after = [(CHECKOUT / f"functions/{name}/func.yaml").read_text() for name in FUNCTIONS]
    assert after == before


SECRETS = ["knative-lambda-registry-delete", "knative-lambda-storage"]


def test_secrets_that_func_insists_on_are_made_empty_before_the_first_function(bin_folder):
    install(bin_folder, "func")
    install(bin_folder, "kubectl")
    ended = deploy(bin_folder, "delete", "cleanup")
    assert ended.returncode == 0
    assert [arguments[0] for arguments in asked(bin_folder)] == ["create"] * 2 + ["deploy"] * 2
    assert asked(bin_folder)[:2] == [
        ["create", "secret", "generic", name, "--namespace", "knative-lambda"] for name in SECRETS
    ]
    for name in SECRETS:
        assert f"created the empty Secret knative-lambda/{name}" in ended.stderr


def test_a_secret_that_is_there_stays_and_nothing_is_said_of_it(bin_folder):
    install(bin_folder, "func")
    install(bin_folder, "kubectl")
    (bin_folder / "secrets").write_text(" ".join(SECRETS))
    ended = deploy(bin_folder, "delete")
    assert ended.returncode == 0
    assert "Secret" not in ended.stderr
    assert {arguments[0] for arguments in asked(bin_folder)} == {"create", "deploy"}


def test_a_secret_that_cannot_be_made_stops_before_anything_is_deployed(bin_folder):
    install(bin_folder, "func")
    install(bin_folder, "kubectl")
    (bin_folder / "secrets").write_text("forbidden")
    ended = deploy(bin_folder, "delete")
    assert ended.returncode == 1
    assert "cannot create the Secret knative-lambda/knative-lambda-registry-delete" in ended.stderr
    assert "(Forbidden)" in ended.stderr
    assert deployments(bin_folder) == []


def test_without_func_one_is_told_where_to_get_it_and_what_else_works(bin_folder):
    ended = deploy(bin_folder)
    assert ended.returncode == 1
    assert "FUNC=" in ended.stderr
    assert "kubectl apply -k" in ended.stderr


def test_a_function_that_is_not_there_is_refused_with_those_that_are(bin_folder):
    install(bin_folder, "func")
    ended = deploy(bin_folder, "nothing")
    assert ended.returncode == 2
    assert "build-complete, build-start" in ended.stderr


@pytest.mark.parametrize("engine", ["docker", "podman", "buildah"])
def test_an_engine_that_is_there_builds_the_dockerfile_and_pushes(engine, bin_folder):
    install(bin_folder, engine)
    ended = make_images(bin_folder)
    assert json.loads(ended.stdout) == {"delete": f"10.0.0.1:5000/p/delete@{DIGEST}"}, ended.stderr
    calls = asked(bin_folder)
    build = next(call for call in calls if call[0] in {"build", "bud"})
    assert build[1:3] == ["-f", str(CHECKOUT / "Dockerfile")]
    told = {argument for argument in build if argument.startswith("--build-arg")}
    assert told == {
        "--build-arg=FUNCTION=delete",
        "--build-arg=PYTHON_VERSION=3.11",
        f"--build-arg=PYTHON_DIGEST={DIGEST}",
    }
    assert calls[-1][0] == "push"
    assert calls[-1][-1] == "10.0.0.1:5000/p/delete:latest"


def test_without_an_engine_and_without_apt_one_is_told_what_is_needed(bin_folder):
    ended = make_images(bin_folder)
    assert ended.returncode == 1
    assert "with layers" in ended.stderr
    assert "docker, podman or buildah" in ended.stderr
