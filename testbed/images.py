"""Makes one image per binary and lays them out as the storage folder of a docker-registry."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import re
import subprocess
import sys
import tarfile
from pathlib import Path

NOBODY = "65532:65532"
INDEX_TYPE = "application/vnd.oci.image"


class Storage:
    """The folder that docker-registry serves: blobs by digest, repositories as links to them."""

    def __init__(self, root: Path) -> None:
        self._root = root / "docker/registry/v2"

    def add_blob(self, content: bytes) -> dict[str, object]:
        """Keep the content and return its descriptor without the media type."""
        digest = hashlib.sha256(content).hexdigest()
        folder = self._root / "blobs/sha256" / digest[:2] / digest
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "data").write_bytes(content)
        return {"digest": f"sha256:{digest}", "size": len(content)}

    def link(self, repository: str, place: str, digest: object) -> None:
        """Tell the registry that the repository has this digest at this place."""
        folder = self._root / "repositories" / repository / place
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "link").write_text(str(digest), encoding="ascii")

    def add_image(self, repository: str, layer_tar: bytes, config: dict[str, object]) -> None:
        """Keep a one-layer image under the tag `latest`."""
        layer = self.add_blob(gzip.compress(layer_tar, compresslevel=1, mtime=0))
        diff_id = f"sha256:{hashlib.sha256(layer_tar).hexdigest()}"
        root = {"type": "layers", "diff_ids": [diff_id]}
        platform = {"architecture": "amd64", "os": "linux"}
        config_blob = self.add_blob(encode({**platform, "config": config, "rootfs": root}))
        manifest = self.add_blob(
            encode(
                {
                    "schemaVersion": 2,
                    "mediaType": f"{INDEX_TYPE}.manifest.v1+json",
                    "config": {"mediaType": f"{INDEX_TYPE}.config.v1+json", **config_blob},
                    "layers": [{"mediaType": f"{INDEX_TYPE}.layer.v1.tar+gzip", **layer}],
                }
            )
        )
        for blob in (layer, config_blob):
            self.link(repository, f"_layers/{path_of(blob)}", blob["digest"])
        self.link(repository, f"_manifests/revisions/{path_of(manifest)}", manifest["digest"])
        tag = "_manifests/tags/latest"
        self.link(repository, f"{tag}/current", manifest["digest"])
        self.link(repository, f"{tag}/index/{path_of(manifest)}", manifest["digest"])


def encode(document: dict[str, object]) -> bytes:
    """Return the same bytes for the same document."""
    return json.dumps(document, sort_keys=True).encode()


def path_of(descriptor: dict[str, object]) -> str:
    """Return the digest as the registry writes it in a path."""
    return str(descriptor["digest"]).replace(":", "/")


def libraries(binary: Path) -> list[Path]:
    """Return the shared libraries and the loader that the binary needs, none for a static one."""
    listed = subprocess.run(["ldd", str(binary)], capture_output=True, text=True, check=False)
    return [Path(found) for found in re.findall(r"(/\S+) \(0x", listed.stdout)]


def layer_of(files: dict[str, Path]) -> bytes:
    """Return a tar of the files under these names and a writable /tmp: same files, same bytes."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for folder in sorted({str(p) for name in files for p in Path(name).parents} | {"tmp"}):
            entry = tarfile.TarInfo(folder)
            entry.type, entry.mode = tarfile.DIRTYPE, 0o1777 if folder == "tmp" else 0o755
            tar.addfile(entry)
        for name, source in sorted(files.items()):
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = source.stat().st_size, 0o755
            with source.open("rb") as content:
                tar.addfile(entry, content)
    return buffer.getvalue()


def main(target: str, *images: str) -> None:
    """Add each image, given as repository=binary=path in the image."""
    storage = Storage(Path(target))
    for image in images:
        repository, binary, inside = image.split("=")
        files = {inside: Path(binary)}
        files |= {str(library).lstrip("/"): library for library in libraries(Path(binary))}
        config: dict[str, object] = {"User": NOBODY, "Entrypoint": [f"/{inside}"]}
        storage.add_image(repository, layer_of(files), config)


if __name__ == "__main__":
    main(*sys.argv[1:])
