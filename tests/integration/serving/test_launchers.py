"""Images of the embedded registry, and the control plane's own functions."""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path

import pytest

from lambda_builder.base_image import build_base_image
from lambda_embedded.serving.launchers.function_launcher import FunctionLauncher
from lambda_embedded.serving.launchers.image_launcher import ImageLauncher

SERVER = Path(__file__).with_name("helpers") / "lambda_server.py"
SEARCH_PATH = os.environ["PATH"]  # noqa: TID251

RUNTIME = """
language = "python"
versions = ["3.11", "3.12", "3.13", "3.14"]
entrypoint = ["python", "/runtime/lambda_server.py"]
server = "server"
packages = "packages"
default_handler = "main.handler"
recipe = ["python", "recipe.py"]
"""


@pytest.fixture
def image(tmp_path: Path) -> str:
    """An image that is a server, its runtime's environment in the data folder."""
    name = f"python{sys.version_info.major}.{sys.version_info.minor}"
    runtimes = tmp_path / "all-runtimes"
    (runtimes / "python" / "server").mkdir(parents=True)
    (runtimes / "python" / "runtime.toml").write_text(RUNTIME)
    shutil.copy(SERVER, runtimes / "python" / "server")
    programs = tmp_path / "runtimes" / name / "bin"
    programs.mkdir(parents=True)
    (programs / "python").symlink_to(sys.executable)
    url = build_base_image(name, runtimes, (tmp_path / "registry" / "team" / "hello").as_uri())
    return f"registry.embedded/team/hello@{url.rpartition('@')[2]}"


async def test_an_image_is_run_from_its_unpacked_files(start_platform, tmp_path, image):
    launcher = ImageLauncher(data_folder=tmp_path, search_path=SEARCH_PATH)
    async with start_platform(launcher) as platform:
        starts = str(tmp_path / "starts")
        platform.apply(image=image, environment={"STARTS": starts, "FUNCTION_HANDLER": "mine.go"})
        await platform.ready()
        environment = json.loads((await platform.get())[1])["environment"]
    unpacked = tmp_path / "images" / image.rpartition(":")[2]
    assert environment["FUNCTION_ROOT"] == str(unpacked / "function")
    assert environment["FUNCTION_HANDLER"] == "mine.go"
    assert environment["PATH"].startswith(str(tmp_path / "runtimes"))
    assert environment["PORT"] != "8080"


async def test_the_files_of_an_image_go_with_the_last_service_that_used_it(
    start_platform, tmp_path, image
):
    launcher = ImageLauncher(data_folder=tmp_path, search_path=SEARCH_PATH)
    async with start_platform(launcher) as platform:
        for name in ("hello", "twin"):
            platform.apply(name, image=image, environment={"STARTS": str(tmp_path / "starts")})
            await platform.ready(name)
        platform.objects.delete("Service", "team", "hello")
        await platform.until(lambda: not platform.pods())
        assert (await platform.get("/", "twin"))[0] == 200
        assert len(list((tmp_path / "images").glob("[!.]*"))) == 1
        platform.objects.delete("Service", "team", "twin")
    assert list((tmp_path / "images").glob("[!.]*")) == []
    assert list((tmp_path / "images" / ".layers").iterdir()) == []


async def test_among_many_images_those_unused_go_in_batches(tmp_path):
    images = [tmp_path / "images" / f"{number:064x}" for number in range(203)]
    for folder in images:
        folder.mkdir(parents=True)
    asked = []

    async def used():
        asked.append(None)
        for folder in images:
            image = f"registry.embedded/team/hello@sha256:{folder.name}"
            yield {"spec": {"containers": [{"image": image}]}}

    launcher = ImageLauncher(data_folder=tmp_path, search_path=SEARCH_PATH)
    await launcher.collect(used)
    gone = [images.pop() for _ in range(3)]
    for _ in gone:
        await launcher.collect(used)
    assert len(asked) == 2
    assert not any(folder.exists() for folder in gone)
    assert all(folder.exists() for folder in images)


async def test_an_image_that_is_not_there_fails_the_revision(start_platform, tmp_path, image):
    launcher = ImageLauncher(data_folder=tmp_path, search_path=SEARCH_PATH)
    async with start_platform(launcher) as platform:
        platform.apply(image=f"registry.embedded/team/hello@sha256:{'0' * 64}")
        status = await platform.ready(status="False")
        assert "the image cannot be unpacked" in str(status["conditions"])


async def test_a_function_runs_under_functions_framework_and_ends_with_all_its_workers(
    start_platform, tmp_path
):
    folder = tmp_path / "functions" / "who"
    folder.mkdir(parents=True)
    (folder / "main.py").write_text(
        "import functions_framework, os\n\n\n"
        "@functions_framework.http\n"
        "def handle(request):\n"
        "    names = ('KUBECONFIG', 'THREADS', 'EXTRA', 'K_SERVICE')\n"
        "    return {name: os.environ.get(name) for name in names}\n"
    )
    launcher = FunctionLauncher(
        functions_folder=tmp_path / "functions",
        data_folder=tmp_path,
        environment={"EXTRA": "of the platform"},
    )
    async with start_platform(launcher) as platform:
        platform.apply(labels={"knative-lambda.dev/function": "who"}, containerConcurrency=3)
        await platform.ready()
        assert json.loads((await platform.get())[1]) == {
            "KUBECONFIG": str(tmp_path / "kubeconfig"),
            "THREADS": "3",
            "EXTRA": "of the platform",
            "K_SERVICE": "hello",
        }
    # The fixture has looked for processes that are left.


async def test_api_alone_is_shown_the_platforms_token(tmp_path):
    functions = Path(__file__).parents[3] / "functions"
    launcher = FunctionLauncher(functions_folder=functions, data_folder=tmp_path)
    shown = set()
    for name in (path.parent.name for path in functions.glob("*/main.py")):
        labels = {"knative-lambda.dev/function": name}
        template = {"metadata": {"labels": labels}, "spec": {}}
        command = await launcher.prepare("knative-lambda", name, template)
        shown |= {name} if command.takes_token else set()
    assert shown == {"api"}


@pytest.mark.parametrize("name", ["gone", "../../etc", ""])
async def test_an_unknown_function_fails_the_revision(start_platform, tmp_path, name):
    launcher = FunctionLauncher(functions_folder=tmp_path, data_folder=tmp_path)
    async with start_platform(launcher) as platform:
        platform.apply(labels={"knative-lambda.dev/function": name})
        status = await platform.ready(status="False")
        assert f"there is no function {name!r}" in str(status["conditions"][0]["message"])
