"""Python sources are compiled in the build, so that lambdas start without compiling."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from lambda_builder.base_image import build_base_image
from lambda_builder.compilation import compile_folder
from lambda_builder.runtime import Runtime, read_languages
from lambda_oci.layer import write_layer
from tests.helpers.workspaces import write_files

RUNTIMES = Path(__file__).parents[3] / "runtimes"
VERSION = f"{sys.version_info.major}.{sys.version_info.minor}"
SOURCE = "NAMES = frozenset({'a', 'b', 'c'})\ndef fail():\n    raise ValueError(NAMES)\n"


def runtime(language: str = "python") -> Runtime:
    found = {each.name: each for each in read_languages(RUNTIMES)}[language]
    return Runtime(language=found, version=VERSION)


def compiled(folder: Path, **options) -> Path:
    compile_folder(folder, runtime(**options), installed_at="/function/source", timeout_seconds=60)
    return folder


def test_equal_sources_in_different_places_give_equal_layers(tmp_path):
    files = {f"package/module_{number}.py": SOURCE for number in range(20)}
    layers = []
    for place in ("here", "somewhere/else"):
        folder = compiled(write_files(tmp_path / place, files))
        layers.append(write_layer([("function/source", folder)], tmp_path / "layer").diff_id)
    assert layers[0] == layers[1]
    assert len(list(folder.rglob("*.pyc"))) == 20


def test_what_is_compiled_beside_each_other_gives_the_same_layer_however_it_lies_on_disk(tmp_path):
    files = {f"package_{number}/a.py": SOURCE * number for number in range(1, 9)}
    files |= {"one.py": SOURCE, "nothing/data.txt": "x", "-x.py": SOURCE}
    layers = set()
    for place, names in (("here", sorted(files)), ("there", sorted(files, reverse=True))):
        folder = compiled(write_files(tmp_path / place, {name: files[name] for name in names}))
        layers.add(write_layer([("function/packages", folder)], tmp_path / "layer").diff_id)
    assert len(layers) == 1
    assert len(list(folder.rglob("*.pyc"))) == 10


def test_links_to_other_folders_are_not_followed(tmp_path):
    elsewhere = write_files(tmp_path / "elsewhere", {"a.py": SOURCE, "b.py": SOURCE})
    folder = write_files(tmp_path / "packages", {"a.py": SOURCE, "b/c.py": SOURCE})
    (folder / "linked").symlink_to(elsewhere)
    (folder / "linked.py").symlink_to(folder / "linked.py")
    compiled(folder)
    assert not list(elsewhere.rglob("*.pyc"))
    assert len(list(folder.glob("**/*.pyc"))) == 2


def test_when_the_time_is_over_nothing_goes_on_and_no_bytecode_stays(tmp_path):
    folder = write_files(tmp_path / "packages", {f"p{n}/a.py": SOURCE * 2000 for n in range(8)})
    compile_folder(folder, runtime(), installed_at="/function/packages", timeout_seconds=0.001)
    assert not list(folder.rglob("*.pyc"))
    time.sleep(0.5)
    assert not list(folder.rglob("*.pyc"))


def test_an_interpreter_uses_the_bytecode_and_names_real_files(tmp_path):
    folder = compiled(write_files(tmp_path / "source", {"module.py": SOURCE}))
    done = subprocess.run(
        [sys.executable, "-v", "-c", "import module; module.fail()"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "module.cpython" in done.stderr
    assert "wrote" not in done.stderr
    assert f'File "{folder}/module.py", line 3, in fail' in done.stderr


def test_bytecode_that_a_user_sent_along_is_thrown_away(tmp_path):
    name = f"__pycache__/module.{sys.implementation.cache_tag}.pyc"
    folder = compiled(write_files(tmp_path / "source", {"module.py": SOURCE, name: "stale"}))
    assert (folder / name).read_bytes() != b"stale"


def test_a_source_that_does_not_compile_stays_as_it_is(tmp_path):
    folder = compiled(write_files(tmp_path / "source", {"a.py": "def (", "b.py": "x = 1"}))
    assert [path.name.split(".")[0] for path in folder.rglob("*.pyc")] == ["b"]


def test_a_source_that_crashes_the_compiler_leaves_no_bytecode_and_no_error(tmp_path):
    nested = "x = " + "(" * 100_000 + ")" * 100_000
    folder = compiled(write_files(tmp_path / "source", {"a.py": nested, "b.py": "x = 1"}))
    assert (folder / "a.py").exists()


def test_other_languages_are_not_compiled(tmp_path):
    folder = compiled(write_files(tmp_path / "source", {"a.py": "x = 1"}), language="nodejs")
    assert not list(folder.rglob("*.pyc"))


@pytest.mark.parametrize("files", [{"server/app.py": "x = 1", "server/lib/a.py": "y = 2"}])
def test_a_base_image_of_a_python_server_is_the_same_twice(tmp_path, files):
    urls = []
    for place in ("one", "two"):
        folder = tmp_path / place / "python"
        shutil.copytree(RUNTIMES / "python", folder)
        write_files(folder, files)
        url = build_base_image(
            f"python{VERSION}", tmp_path / place, f"file://{tmp_path}/{place}/image"
        )
        urls.append(url.rpartition("@")[2])
    assert urls[0] == urls[1]
