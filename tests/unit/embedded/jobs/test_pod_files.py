from __future__ import annotations

import base64
from pathlib import Path, PurePosixPath

import pytest

from lambda_embedded.jobs.volumes import PodFolder, VolumeError, translate
from lambda_embedded.store.database import Database
from lambda_embedded.store.objects import Objects

PLACES = {PurePosixPath("/workspace"): Path("/pod/w"), PurePosixPath("/workspace/in"): Path("/i")}


@pytest.fixture
def objects(tmp_path: Path):
    database = Database(tmp_path / "state.sqlite")
    yield Objects(database)
    database.close()


def pod(*volumes: dict) -> dict:
    return {"metadata": {"namespace": "builds", "name": "p"}, "spec": {"volumes": list(volumes)}}


@pytest.mark.parametrize(
    ("value", "place"),
    [
        ("/workspace", "/pod/w"),
        ("/workspace/a/b", "/pod/w/a/b"),
        ("/workspace/in/a", "/i/a"),
        ("/workspaces", "/workspaces"),
        ("/other", "/other"),
        ("workspace", "workspace"),
        ("file:///workspace", "file:///workspace"),
        ("/workspace/../etc", "/workspace/../etc"),
        ("", ""),
    ],
)
def test_paths_below_a_mount_become_places_and_nothing_else_does(value: str, place: str):
    assert translate(value, PLACES) == place


@pytest.mark.parametrize("path", ["/etc/x", "../x", "a/../../x"])
def test_a_key_never_leaves_its_volume(objects: Objects, tmp_path: Path, path: str):
    data = {"key": base64.b64encode(b"x").decode()}
    objects.create("Secret", {"metadata": {"namespace": "builds", "name": "s"}, "data": data})
    secret = {"secretName": "s", "items": [{"key": "key", "path": path}]}
    with pytest.raises(VolumeError, match="leads out"):
        PodFolder(tmp_path / "pod").create(objects, pod({"name": "v", "secret": secret}))


def test_a_volume_of_an_unknown_sort_is_named(objects: Objects, tmp_path: Path):
    with pytest.raises(VolumeError, match="volume data"):
        PodFolder(tmp_path / "pod").create(objects, pod({"name": "data", "nfs": {}}))


def test_an_optional_secret_may_be_missing(objects: Objects, tmp_path: Path):
    volume = {"name": "v", "secret": {"secretName": "s", "optional": True}}
    PodFolder(tmp_path / "pod").create(objects, pod(volume))
    assert list((tmp_path / "pod" / "volumes" / "v").iterdir()) == []


def test_projected_volumes_hold_all_their_sources(objects: Objects, tmp_path: Path):
    metadata = {"namespace": "builds", "name": "s"}
    objects.create("Secret", {"metadata": metadata, "stringData": {"token": "t"}})
    objects.create("ConfigMap", {"metadata": metadata, "data": {"url": "u"}})
    sources = [{"secret": {"name": "s"}}, {"configMap": {"name": "s"}}]
    folder = PodFolder(tmp_path / "pod")
    folder.create(objects, pod({"name": "v", "projected": {"sources": sources}}))
    volume = tmp_path / "pod" / "volumes" / "v"
    assert {file.name: file.read_text() for file in volume.iterdir()} == {"token": "t", "url": "u"}


def test_removing_never_follows_a_link_out_of_the_folder(objects: Objects, tmp_path: Path):
    outside = tmp_path / "outside"
    outside.mkdir(mode=0o500)
    folder = PodFolder(tmp_path / "pod")
    folder.create(objects, pod())
    (folder.root / "link").symlink_to(outside)
    folder.remove()
    assert not folder.root.exists()
    assert outside.stat().st_mode & 0o777 == 0o500
