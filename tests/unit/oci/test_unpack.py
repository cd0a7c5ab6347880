"""Images of layouts become folders, checked against their digests."""

from __future__ import annotations

import tarfile

import pytest

from lambda_oci.descriptors import LAYER_GZIP, describe
from lambda_oci.errors import StoredImageError
from lambda_oci.image import encode_image
from lambda_oci.layout import LayoutRepository
from lambda_oci.unpack import unpack_image
from tests.helpers.archives import gzipped, tar_bytes, tar_member
from tests.helpers.publishing import PACKAGES_TAG, Publishing


@pytest.fixture
def store(tmp_path):
    """Stores an image of these layers; its digest."""

    def store(*layers: bytes, media_type: str = LAYER_GZIP) -> str:
        repository = LayoutRepository(tmp_path / "image")
        blobs = [describe(media_type, layer) for layer in layers]
        config = {"config": {"Entrypoint": ["run"], "Env": ["A=b=c"], "WorkingDir": "/w"}}
        image = encode_image(config, tuple(blobs), {})
        with repository.writing():
            contents = zip([*blobs, image.config_descriptor], [*layers, image.config], strict=True)
            for blob, content in contents:
                (tmp_path / "blob").write_bytes(content)
                repository.add_blob(blob, tmp_path / "blob")
                (tmp_path / "blob").unlink()
            return repository.add_manifest(image.manifest, "v1").digest

    return store


@pytest.fixture
def unpack(tmp_path):
    def unpack(digest):
        return unpack_image(f"file://{tmp_path}/image", digest, tmp_path / "run" / digest[-8:])

    return unpack


def test_later_layers_lie_over_earlier_ones(store, unpack, tmp_path):
    folder = tar_member("a/", b"", type=tarfile.DIRTYPE)
    below = tar_bytes(folder, tar_member("a/1", b"old"), tar_member("a/2", b"kept"))
    above = tar_bytes(tar_member("a/1", b"new"), tar_member("b/3", b"added", mode=0o755))
    digest = store(gzipped(below), gzipped(above))
    config = unpack(digest)
    root = tmp_path / "run" / digest[-8:]
    files = {str(p.relative_to(root)): p.read_bytes() for p in root.rglob("*") if p.is_file()}
    assert files == {"a/1": b"new", "a/2": b"kept", "b/3": b"added"}
    assert (root / "b/3").stat().st_mode & 0o777 == 0o555
    assert (config.entrypoint, config.env, config.working_dir) == (("run",), {"A": "b=c"}, "/w")


def test_a_layer_that_two_images_share_is_unpacked_once(store, unpack, tmp_path):
    shared = gzipped(tar_bytes(tar_member("shared")))
    digests = [store(shared, gzipped(tar_bytes(tar_member(name)))) for name in ("one", "two")]
    for digest in digests:
        unpack(digest)
    first, second = (tmp_path / "run" / digest[-8:] / "shared" for digest in digests)
    assert first.samefile(second)


def test_an_image_that_is_there_is_left_alone(store, unpack, tmp_path):
    digest = store(gzipped(tar_bytes(tar_member("a"))))
    unpack(digest)
    (tmp_path / "run" / digest[-8:] / "written-by-the-lambda").touch()
    unpack(digest)
    assert (tmp_path / "run" / digest[-8:] / "written-by-the-lambda").exists()


@pytest.mark.parametrize(
    ("member", "message"),
    [
        (tar_member("../evil"), "leaves the image"),
        (tar_member("/evil"), "leaves the image"),
        (tar_member("a/.wh.b"), "whiteout"),
        (tar_member("l", b"", type=tarfile.SYMTYPE, linkname="/etc"), "leads out"),
        (tar_member("l", b"", type=tarfile.SYMTYPE, linkname="../x"), "leads out"),
        (tar_member("l", b"", type=tarfile.LNKTYPE, linkname="x"), "not a file, folder"),
        (tar_member("l", b"", type=tarfile.FIFOTYPE), "not a file, folder"),
    ],
)
def test_a_dangerous_layer_is_refused_and_leaves_nothing(store, unpack, tmp_path, member, message):
    digest = store(gzipped(tar_bytes(tar_member("first"), member)))
    with pytest.raises(StoredImageError, match=message) as caught:
        unpack(digest)
    assert caught.value.reason == "InvalidImage"
    assert not [path for path in (tmp_path / "run").rglob("*") if path.is_file()]
    assert not (tmp_path / "run" / digest[-8:]).exists()


def test_nothing_is_written_through_a_link(store, unpack, tmp_path):
    link = tar_member("a", b"", type=tarfile.SYMTYPE, linkname="b")
    target = tar_member("b/", b"", type=tarfile.DIRTYPE)
    with pytest.raises(StoredImageError, match="through a link"):
        unpack(store(gzipped(tar_bytes(target, link, tar_member("a/evil")))))


def test_a_link_of_a_lower_layer_is_replaced_not_followed(store, unpack, tmp_path):
    link = tar_member("a", b"", type=tarfile.SYMTYPE, linkname="b")
    below = tar_bytes(tar_member("b/", b"", type=tarfile.DIRTYPE), link)
    digest = store(gzipped(below), gzipped(tar_bytes(tar_member("a/file"))))
    unpack(digest)
    root = tmp_path / "run" / digest[-8:]
    assert (root / "a/file").is_file()
    assert list((root / "b").iterdir()) == []


@pytest.mark.parametrize("change", [lambda c: c[:-12], lambda c: c[:20], lambda c: b"x" + c[1:]])
def test_a_damaged_layer_is_refused(store, unpack, tmp_path, change):
    content = gzipped(tar_bytes(tar_member("a", b"x" * 5000)))
    digest = store(content)
    path = LayoutRepository(tmp_path / "image").path(describe(LAYER_GZIP, content))
    path.unlink()
    path.write_bytes(change(content))
    with pytest.raises(StoredImageError) as caught:
        unpack(digest)
    assert caught.value.reason == "InvalidImage"


def test_a_layer_with_other_bytes_than_its_digest_says_is_refused(store, unpack, tmp_path):
    content = gzipped(tar_bytes(tar_member("a", b"good")))
    digest = store(content)
    path = LayoutRepository(tmp_path / "image").path(describe(LAYER_GZIP, content))
    path.unlink()
    path.write_bytes(gzipped(tar_bytes(tar_member("a", b"evil"))))
    with pytest.raises(StoredImageError, match="do not match this digest"):
        unpack(digest)


def test_layers_of_another_kind_are_refused(store, unpack):
    with pytest.raises(StoredImageError, match="zstd"):
        unpack(store(b"x", media_type="application/vnd.oci.image.layer.v1.tar+zstd"))


def test_an_image_that_is_missing_is_said_to_be(store, unpack):
    store(gzipped(tar_bytes(tar_member("a"))))
    with pytest.raises(StoredImageError) as caught:
        unpack("sha256:" + "0" * 64)
    assert caught.value.reason == "ImageNotFound"


def test_what_publish_makes_is_what_a_lambda_runs_from(tmp_path):
    publishing, repository = Publishing(tmp_path), f"file://{tmp_path}/tenant/fn"
    publishing.keep(repository)
    digest = publishing.publish(repository, packages_tag=PACKAGES_TAG)
    root = tmp_path / "run"
    config = unpack_image(repository, digest, root)
    files = sorted(str(p.relative_to(root)) for p in root.rglob("*") if p.is_file())
    assert files == [
        "function/lock.txt",
        "function/packages/p/p.txt",
        "function/source/main.txt",
        "runtime/serve.sh",
    ]
    assert config.entrypoint == ("sh", "/runtime/serve.sh")
    assert config.labels == {"dev.knative-lambda.runtime": "tiny1.0"}
    assert config.working_dir == "/function/source"
    assert config.user.split(":")[0].isdigit()
