"""Sources with the files that people's own tools wrote, from the command line and by events."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.helpers.http_client import post_event

if TYPE_CHECKING:
    from pathlib import Path

    from tests.embedded.helpers.embedded_platform import EmbeddedPlatform

APP = {
    "package.json": json.dumps({"name": "app", "version": "1.0.0", "main": "src/app.js"}),
    "src/app.js": "exports.handler = () => 'main'; exports.other = () => 'other';",
}


def write(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


def test_main_of_a_package_json_is_served_where_there_is_no_index(
    platform: EmbeddedPlatform, unique_name: str, tmp_path: Path
):
    url = platform.deploy(write(tmp_path, APP), "--name", unique_name)["url"]
    assert post_event(url, {}, type="t").data == "main"
    # A handler that somebody asks for goes before it, on the very same image.
    platform.deploy(tmp_path, "--name", unique_name, "--handler", "src/app.other")
    assert post_event(url, {}, type="t").data == "other"


def test_main_of_a_package_json_is_served_for_events_alike(
    platform: EmbeddedPlatform, unique_name: str
):
    platform.send_build_start(unique_name, APP, spec={"runtime": "nodejs20"})
    platform.await_phase(unique_name, "Ready")
    assert post_event(platform.url(unique_name), {}, type="t").data == "main"


@pytest.mark.parametrize("handler", [None, "index.handler"])
def test_an_index_goes_before_main(
    platform: EmbeddedPlatform, unique_name: str, tmp_path: Path, handler: str | None
):
    folder = write(tmp_path, {**APP, "index.js": "exports.handler = () => 'index';"})
    options = ("--handler", handler) if handler else ()
    url = platform.deploy(folder, "--name", unique_name, *options)["url"]
    assert post_event(url, {}, type="t").data == "index"


LOCKS = {
    "uv.lock": (
        {
            "main.py": "import nowhere",
            "pyproject.toml": '[project]\nname = "x"\nversion = "1"\ndependencies = ["six"]\n',
            "uv.lock": 'version = 1\n[[package]]\nname = "x"\nsource = { virtual = "." }\n',
        },
        "LockOutOfDate",
    ),
    "poetry.lock": ({"main.py": "import nowhere", "poetry.lock": ""}, "UnsupportedLock"),
    "yarn.lock": (
        {"package.json": '{"dependencies": {"x": "1"}}', "index.js": "", "yarn.lock": ""},
        "UnsupportedLock",
    ),
}


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_that_would_not_be_honoured_fails_the_build_by_name(
    platform: EmbeddedPlatform, unique_name: str, tmp_path: Path, lock: str
):
    files, reason = LOCKS[lock]
    language = "python" if "main.py" in files else "nodejs"
    options = ("--name", unique_name, "--runtime", language, "-o", "json")
    done = platform.kn_lambda("deploy", write(tmp_path, files), *options)
    document = json.loads(done.stdout)
    assert (done.returncode, document["reason"]) == (1, reason)
    assert lock in document["message"]
