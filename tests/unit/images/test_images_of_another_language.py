"""A language that the images do not know is in them by what its folder says."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from images.catalog import Versions, all_images
from images.contents import Contents
from images.interpreter import Interpreter

CHECKOUT = Path(__file__).parents[3]
IMAGES = """
[images]
official = { repository = "perl", argument = "PERL" }

[images.base]
debian = ["perl"]

[images.builder]
debian = ["cpanminus"]
program = ["true"]
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    shutil.copytree(CHECKOUT / "runtimes", tmp_path / "runtimes")
    perl = tmp_path / "runtimes" / "perl"
    shutil.copytree(CHECKOUT / "tests/embedded/helpers/perl_runtime", perl)
    with (perl / "runtime.toml").open("a") as file:
        file.write(IMAGES)
    return tmp_path


def test_its_base_image_is_told_its_version(checkout):
    (image,) = (
        each for each in all_images(checkout, Versions(), ["perl5"]) if each.name == "perl5"
    )
    assert image.dockerfile == "runtimes/perl/Dockerfile"
    assert image.arguments == {"PERL_VERSION": "5"}
    assert image.runtimes[0].language.images.base.debian == ("perl",)


def test_the_builder_has_what_its_recipes_run(checkout):
    (builder,) = (each for each in all_images(checkout, Versions(), []) if each.name == "builder")
    assert [each.name for each in builder.runtimes] == ["python3.11", "nodejs24", "perl5"]


def test_its_server_is_copied_and_not_compiled_as_ours(checkout, tmp_path):
    target = tmp_path / "root"
    contents = Contents(checkout, Interpreter.current())
    assert contents.lock("perl") is None
    contents.code("perl", "perl5", target)
    found = {str(file.relative_to(target)) for file in target.rglob("*") if file.is_file()}
    assert found == {"runtime/server.pl"}
