"""What is left out of the packages in an image, and where our own code is taken from."""

from __future__ import annotations

from pathlib import Path

import pytest

from images.catalog import Versions, all_images
from images.contents import Contents, files_of, trim
from images.interpreter import Interpreter

CHECKOUT = Path(__file__).parents[3]
CONTENTS = Contents(CHECKOUT, Interpreter.current())


def test_only_programs_and_services_that_are_used_stay(tmp_path):
    kept = [
        "bin/uv",
        "botocore/data/s3/x",
        "botocore/data/endpoints.json",
        "p-1.dist-info/METADATA",
    ]
    dropped = [
        "bin/uvx",
        "botocore/data/ec2/x",
        "p-1.dist-info/RECORD",
        "kubernetes/aio/x",
        ".lock",
    ]
    for name in kept + dropped:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    trim(tmp_path, {"uv"})
    assert {str(file.relative_to(tmp_path)) for file in tmp_path.rglob("*") if file.is_file()} == {
        *kept
    }


@pytest.mark.parametrize(
    "image", all_images(CHECKOUT, Versions(), ["python3.12", "nodejs22"]), ids=lambda i: i.name
)
def test_locks_and_sources_of_every_image_are_there(image):
    lock = CONTENTS.lock(image.kind)
    assert lock is None or "--hash=sha256:" in lock.read_text()
    assert all(folder.is_dir() for folder in CONTENTS.sources(image.kind, image.name))


@pytest.mark.parametrize(
    ("kind", "name", "folders"),
    [
        ("builder", "builder", ["/app", "/app/packages"]),
        ("function", "delete", ["/app/shared", "/app/packages"]),
    ],
)
def test_our_own_code_is_found_by_an_isolated_interpreter(tmp_path, kind, name, folders):
    CONTENTS.code(kind, name, tmp_path)
    (found,) = tmp_path.rglob("*.pth")
    assert found.read_text().splitlines() == folders
    assert str(found.parent.relative_to(tmp_path)) == CONTENTS.python.site_packages()


def test_the_code_of_a_function_is_its_own_and_what_all_share(tmp_path):
    CONTENTS.code("nodejs", "nodejs24", tmp_path)
    found = {str(file.relative_to(tmp_path)) for file in tmp_path.iterdir()}
    assert found == {"runtime", "function"}
    assert (tmp_path / "runtime/server.js").is_file()


def test_what_tools_leave_in_a_checkout_is_in_no_image(tmp_path):
    checkout, targets = tmp_path / "checkout", (tmp_path / "clean", tmp_path / "used")
    package = checkout / "shared/src/knative_lambda"
    for name in ("functions/delete/main.py", "shared/src/knative_lambda/a.py"):
        (checkout / name).parent.mkdir(parents=True)
        (checkout / name).write_text("x = 1\n")
    contents = Contents(checkout, Interpreter.current())
    contents.code("function", "delete", targets[0])
    key = [files_of(folder) for folder in contents.sources("function", "delete")]
    for leftover in (
        "moved/__pycache__/b.cpython-311.pyc",
        "__pycache__/a.cpython-311.pyc.123",
        ".c",
    ):
        (package / leftover).parent.mkdir(parents=True, exist_ok=True)
        (package / leftover).touch()
    (package / "empty").mkdir()
    contents.code("function", "delete", targets[1])
    assert key == [files_of(folder) for folder in contents.sources("function", "delete")]
    clean, used = ({path.relative_to(t) for path in t.rglob("*")} for t in targets)
    assert used == clean
