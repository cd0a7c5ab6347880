"""Bytes that came to a registry are told from those that were there."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from tests.bench.registry_storage import Pushed, pushed_to_distribution, pushed_to_layout

if TYPE_CHECKING:
    from pathlib import Path

BEGIN = 1_000.0
REPOSITORY = "lambdas/default/hello"


def write(file: Path, size: int, at: float) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(b"x" * size)
    os.utime(file, (at, at))
    return file


def test_a_layout_counts_what_was_written_since(tmp_path: Path):
    write(tmp_path / "blobs/sha256/old", 100, BEGIN - 1)
    write(tmp_path / "blobs/sha256/new", 10, BEGIN + 1)
    write(tmp_path / "index.json", 7, BEGIN + 1)

    assert pushed_to_layout(tmp_path, BEGIN) == Pushed(10)


def test_a_blob_linked_from_another_layout_was_not_pushed(tmp_path: Path):
    base = write(tmp_path / "base/blobs/sha256/layer", 100, BEGIN - 1)
    (tmp_path / "own/blobs/sha256").mkdir(parents=True)
    os.link(base, tmp_path / "own/blobs/sha256/layer")

    assert pushed_to_layout(tmp_path / "own", BEGIN) == Pushed(0)


def test_a_repository_that_is_not_there_got_nothing(tmp_path: Path):
    assert pushed_to_layout(tmp_path / "none", BEGIN) == Pushed(0)
    assert pushed_to_distribution(tmp_path, REPOSITORY, BEGIN) == Pushed(0)


@pytest.mark.parametrize(
    ("linked", "stored", "pushed"),
    [
        (BEGIN + 1, BEGIN + 1, Pushed(10)),
        (BEGIN + 1, BEGIN - 1, Pushed(0, again=10)),
        (BEGIN - 1, BEGIN - 1, Pushed(0)),
    ],
    ids=["uploaded", "mounted or sent again", "left alone"],
)
@pytest.mark.parametrize("kind", ["_layers", "_manifests/revisions"])
def test_a_registry_counts_each_link_that_was_written(
    tmp_path: Path, kind: str, linked: float, stored: float, pushed: Pushed
):
    digest, base = "ab" + "0" * 62, tmp_path / "docker/registry/v2"
    write(base / f"blobs/sha256/ab/{digest}/data", 10, stored)
    write(base / f"repositories/{REPOSITORY}/{kind}/sha256/{digest}/link", 71, linked)

    assert pushed_to_distribution(tmp_path, REPOSITORY, BEGIN) == pushed


def test_what_another_repository_got_is_not_counted(tmp_path: Path):
    digest, base = "ab" + "0" * 62, tmp_path / "docker/registry/v2"
    write(base / f"blobs/sha256/ab/{digest}/data", 10, BEGIN + 1)
    write(base / f"repositories/lambdas/other/_layers/sha256/{digest}/link", 71, BEGIN + 1)

    assert pushed_to_distribution(tmp_path, REPOSITORY, BEGIN) == Pushed(0)
