from __future__ import annotations

import asyncio
import os
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from lambda_embedded.languages import read_languages
from lambda_embedded.processes.interpreter_environments import RuntimePreparationError
from lambda_embedded.processes.runtimes import RuntimePreparation

if TYPE_CHECKING:
    from pathlib import Path

NAME = f"python{sys.version_info.major}.{sys.version_info.minor}"


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def preparation(tmp_path: Path, installation: Path, said: list[str]) -> RuntimePreparation:
    environments = tmp_path / "home" / "runtimes"
    environments.mkdir(parents=True)
    return RuntimePreparation(
        runtimes=installation / "runtimes",
        languages=read_languages(installation / "runtimes"),
        environments=environments,
        registry=tmp_path / "home" / "registry",
        environment={"PATH": os.environ["PATH"], "HOME": str(tmp_path)},  # noqa: TID251
        progress=said.append,
    )


async def test_a_runtime_gets_an_interpreter_and_a_base_image(preparation: RuntimePreparation):
    images = await preparation.prepare()

    url, _, digest = images[NAME].rpartition("@sha256:")
    assert url == (preparation.registry / "base" / NAME).as_uri()
    assert len(digest) == 64
    python = preparation.environments / NAME / "bin" / "python"
    process = await asyncio.create_subprocess_exec(python, "-c", "raise SystemExit(7)")
    assert await process.wait() == 7


async def test_what_is_prepared_is_not_prepared_again(preparation, said):
    first = await preparation.prepare()
    marker = preparation.environments / NAME / "image.json"
    written = marker.stat().st_mtime_ns

    assert await preparation.prepare() == first
    assert marker.stat().st_mtime_ns == written
    assert len(said) == 1


async def test_a_changed_server_makes_a_new_base_image_and_keeps_the_environment(
    preparation, installation: Path, said
):
    first = await preparation.prepare()
    (installation / "runtimes" / "python" / "server" / "server.py").write_text("x = 1")

    assert await preparation.prepare() != first
    assert len(said) == 1


async def test_an_environment_that_was_interrupted_is_made_anew(preparation, said):
    first = await preparation.prepare()
    (preparation.environments / NAME / "environment.sha256").unlink()

    assert await preparation.prepare() == first
    assert len(said) == 2


async def test_a_machine_without_any_interpreter_is_told_so(preparation):
    (language,) = preparation.languages
    preparation = replace(preparation, languages=[replace(language, versions=("2.7",))])

    with pytest.raises(RuntimePreparationError, match="no interpreter"):
        await preparation.prepare()
