"""What a Dockerfile says about the start of a container is what an assembled image gets."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from images.catalog import Versions, all_images
from images.dockerfile import read_config

CHECKOUT = Path(__file__).parents[3]
IMAGES = all_images(CHECKOUT, Versions(), ["python3.11", "nodejs24"])
INCLUDED = {
    line[1:].rstrip("/")
    for line in (CHECKOUT / ".dockerignore").read_text().splitlines()
    if line.startswith("!")
}


def write(folder, text):
    (folder / "Dockerfile").write_text(text)
    return folder / "Dockerfile"


def test_only_the_last_stage_counts(tmp_path):
    file = write(
        tmp_path, "FROM a AS b\nENV X=1\nUSER 0\nFROM c\nENV Y=2 \\\n  Z='3 4'\nUSER 7:8\n"
    )
    assert read_config(file, {}) == {"Env": ["Y=2", "Z=3 4"], "User": "7:8"}


def test_build_arguments_are_filled_in_and_other_variables_stay(tmp_path):
    file = write(tmp_path, "FROM a\nLABEL name=x-${NAME}\nENV HOME=$HOME\n")
    config = read_config(file, {"NAME": "delete"})
    assert config == {"Env": ["HOME=$HOME"], "Labels": {"name": "x-delete"}}


def test_an_instruction_that_would_get_lost_is_refused(tmp_path):
    file = write(tmp_path, "FROM a\nHEALTHCHECK NONE\n")
    with pytest.raises(ValueError, match="HEALTHCHECK"):
        read_config(file, {})


@pytest.mark.parametrize("image", IMAGES, ids=lambda image: image.name)
def test_every_image_runs_as_a_number_that_is_not_root(image):
    config = read_config(CHECKOUT / image.dockerfile, image.arguments)
    assert config["User"] == "65532:65532"
    assert config["Entrypoint"][0] in {"python", "node"}
    assert "$" not in str(config)


@pytest.mark.parametrize("image", IMAGES, ids=lambda image: image.name)
def test_what_a_dockerfile_copies_is_there_and_not_ignored(image):
    text = (CHECKOUT / image.dockerfile).read_text()
    copied = re.findall(r"^COPY (?!--from)(\S+) ", text, re.MULTILINE)
    assert copied
    for source in copied:
        assert (CHECKOUT / source).is_dir()
        assert source.split("/")[0] in INCLUDED


@pytest.mark.parametrize("image", IMAGES, ids=lambda image: image.name)
def test_every_argument_of_a_dockerfile_is_told(image):
    text = (CHECKOUT / image.dockerfile).read_text()
    declared = set(re.findall(r"^ARG (\w+)", text, re.MULTILINE))
    assert {name for name in declared if not name.endswith("_DIGEST")} == image.arguments.keys()


def test_an_unknown_runtime_names_those_there_are():
    with pytest.raises(SystemExit, match=r"nodejs24.*python3\.11"):
        all_images(CHECKOUT, Versions(), ["cobol85"])


@pytest.mark.parametrize(
    ("dockerfile", "kind"),
    [
        ("Dockerfile", "function"),
        ("builder/Dockerfile", "builder"),
        ("runtimes/python/Dockerfile", "python"),
    ],
)
def test_the_stage_that_makes_contents_has_all_that_it_imports(dockerfile, kind, tmp_path):
    text = (CHECKOUT / dockerfile).read_text().replace("\\\n", " ")
    for source in re.findall(r"^COPY (?!--from)(\S+) ", text, re.MULTILINE):
        (tmp_path / source.rstrip("/")).symlink_to(CHECKOUT / source.rstrip("/"))
    told = re.search(r"^RUN (?:PYTHONPATH=(\S+) )?python -m images\.contents", text, re.MULTILINE)
    path = os.pathsep.join(str(tmp_path / part) for part in (told[1] or "").split(":"))
    program = (
        "import pathlib, sys; sys.path.insert(0, '.')\n"
        "from images.contents import Contents\n"
        "from images.interpreter import Interpreter\n"
        f"print(Contents(pathlib.Path('.'), Interpreter.current()).lock({kind!r}))"
    )
    # Without this environment's packages: the stage has those of requirements/builder.txt alone.
    lock = subprocess.run(
        [sys.executable, "-S", "-c", program],
        cwd=tmp_path,
        env={"PYTHONPATH": path},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    ).stdout.strip()
    assert (tmp_path / lock).is_file()
