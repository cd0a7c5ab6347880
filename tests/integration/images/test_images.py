"""Images assembled without docker run where nothing can be written and nobody is root."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import re
import tarfile
import urllib.request

import pytest

from tests.helpers.registries import free_port
from tests.integration.images.helpers.assembling import assemble, new_cache

pytestmark = [pytest.mark.xdist_group("images"), pytest.mark.timeout(300)]

SETTINGS = {
    "KN_LAMBDA_STORAGE_URL": "s3://bucket/",
    "KN_LAMBDA_REGISTRY_URL": "http://registry/lambdas",
    "KN_LAMBDA_IMAGE_PREFIX": "registry/lambdas",
}


def test_a_function_is_ready_without_a_place_to_write(unpacked, tmp_path):
    port, log = free_port(), tmp_path / "log"
    with (
        unpacked("delete").serving(port, log, **SETTINGS),
        urllib.request.urlopen(f"http://127.0.0.1:{port}/health/liveness") as answer,
    ):
        assert answer.status == 200
    # Not even a warning: what the server could not write would be told here.
    assert log.read_text() == ""


def test_a_function_imports_its_clients_from_bytecode(unpacked):
    image = unpacked("delete")
    program = (
        "import boto3, kubernetes.client, knative_lambda.adapters.storage, sys, json;"
        "boto3.client('s3', region_name='us-east-1');"
        "print(json.dumps([m.__cached__ for m in sys.modules.values()"
        " if getattr(m, '__cached__', None) and m.__spec__.has_location]))"
    )
    for file in json.loads(image.run("python", "-c", program)):
        content = (image.root / file.lstrip("/")).read_bytes()
        # Hash-based and unchecked: no time of this machine is in it.
        assert content[4:8] == (1).to_bytes(4, "little"), file


def test_certificate_authorities_are_found_where_openssl_looks(unpacked):
    program = "import ssl; print(len(ssl.create_default_context().get_ca_certs()))"
    assert int(unpacked("delete").run("python", "-c", program)) > 100


def test_a_function_image_holds_no_program_to_install_or_to_build_with(unpacked):
    programs = {
        file.name
        for folder in ("usr/bin", "usr/local/bin")
        for file in (unpacked("delete").root / folder).iterdir()
    }
    assert programs.isdisjoint({"sh", "bash", "apt", "dpkg", "perl", "pip", "uv", "node"})
    assert importlib.util.find_spec("lambda_builder")
    assert not list(unpacked("delete").root.glob("app/**/lambda_builder"))


@pytest.mark.parametrize("program", ["packages", "offline", "install"])
def test_every_program_of_a_build_starts_isolated_in_the_builder(program, unpacked):
    image = unpacked("builder")
    code = f"import lambda_builder.{program} as program; print(program.__file__)"
    place = f"/app/lambda_builder/{program}.py"
    assert image.run("python", "-I", "-c", code).strip() == place


def test_the_builder_can_neither_push_nor_find_the_control_plane(unpacked):
    assert not list(unpacked("builder").root.glob("app/**/knative_lambda"))
    assert not list(unpacked("builder").root.glob("app/lambda_builder/publish*"))


def test_the_builder_has_the_installers_of_all_recipes(unpacked):
    image = unpacked("builder")
    recipes = "/runtimes/python/recipe.py", "/runtimes/nodejs/recipe.py"
    assert all((image.root / recipe.lstrip("/")).is_file() for recipe in recipes)
    assert re.match(r"uv \d", image.run("uv", "--version", HOME="/tmp"))
    assert re.match(r"\d+\.", image.run("npm", "--version", writable=("tmp",), HOME="/tmp"))
    program = "import uv; print(uv.find_uv_bin())"
    assert image.run("python", "-c", program).strip() == "/app/packages/bin/uv"


BUILD = """
import os, pathlib, subprocess
source = pathlib.Path("/tmp/workspace/source")
source.mkdir(parents=True)
(source / "pyproject.toml").write_text('[project]\\nname = "x"\\ndependencies = ["six"]')
(source / "uv.lock").write_text("version = 1")
message = "/tmp/message"
settings = {"BUILD_WORKSPACE": "/tmp/workspace", "RUNTIME": "python3.11",
            "RUNTIMES_DIR": "/runtimes", "BUILD_TIMEOUT_SECONDS": "60",
            "TERMINATION_MESSAGE_PATH": message}
subprocess.run(["python", "-I", "-m", "lambda_builder.install"], env={**os.environ, **settings})
print(pathlib.Path(message).read_text())
"""


def test_the_builder_has_what_its_recipes_compare_locks_with(unpacked):
    said = unpacked("builder").run("python", "-c", BUILD, writable=("tmp",))
    assert json.loads(said.splitlines()[-1])["reason"] == "LockOutOfDate"


def test_a_runtime_serves_a_function_that_is_laid_over_it(unpacked, tmp_path):
    image, port = unpacked("python3.11"), free_port()
    source = image.root / "function/source/main.py"
    source.write_text("def handler(event):\n    return {'seen': event['id']}\n")
    with image.serving(port, tmp_path / "log", FUNCTION_NAME="tests/hello"):
        headers = {"ce-id": "1", "ce-source": "/t", "ce-type": "t", "ce-specversion": "1.0"}
        url = f"http://127.0.0.1:{port}/"
        request = urllib.request.Request(url, b"", headers, method="POST")
        with urllib.request.urlopen(request) as answer:
            assert json.load(answer) == {"seen": "1"}


def test_the_same_files_are_the_same_image_whoever_assembles_it(
    registry, references, cache, tmp_path
):
    other = new_cache(tmp_path / "cache")
    again = assemble(registry, other, "delete", umask=0o077)
    made = {layer.name: contents_of(layer) for layer in (other / "layers").glob("*.tar.gz")}
    assert made == {name: contents_of(cache / "layers" / name) for name in made}
    assert again["delete"] == references["delete"]


def contents_of(layer):
    """What a layer holds, so that a difference is told by its path."""
    if not layer.exists():
        return "not made before"
    with tarfile.open(layer) as archive:
        return {
            member.name: (member.type, member.mode, member.linkname, digest_of(archive, member))
            for member in archive
        }


def digest_of(archive, member):
    return member.isfile() and hashlib.sha256(archive.extractfile(member).read()).hexdigest()
