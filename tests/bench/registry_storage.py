"""How many bytes a deployment brought to the registry, by what its storage holds afterwards.

Nothing stands between publisher and registry that would change what is measured.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from pathlib import Path


# Files get their times from a clock that ticks, and lags behind the one that `since` is from.
_TICK_SECONDS = 0.05


class Pushed(NamedTuple):
    """Bytes of layers, configuration and manifests.

    `again` was in the registry before, and was named anew in this repository: mounted from another
    one, which sends nothing, or sent although it was there.
    """

    new: int
    again: int = 0


def pushed_to_layout(repository: Path, since: float) -> Pushed:
    """To a repository that is an OCI image layout; links to other repositories are no copies."""
    return Pushed(sum(_size(blob, since) for blob in (repository / "blobs").glob("*/*")))


def pushed_to_distribution(root: Path, repository: str, since: float) -> Pushed:
    """To a repository of CNCF Distribution (`docker-registry`) that stores in a folder.

    A blob is a file that is written once; each time that one comes to a repository, by an upload or
    a mount, the repository's link to it is written.
    """
    base = root / "docker" / "registry" / "v2"
    links = base / "repositories" / repository
    new = again = 0
    for kind in ("_layers", "_manifests/revisions"):
        for link in links.glob(f"{kind}/sha256/*/link"):
            if not _is_written(link, since):
                continue
            digest = link.parent.name
            blob = base / "blobs" / "sha256" / digest[:2] / digest / "data"
            size = _size(blob, since)
            new += size
            again += 0 if size else blob.stat().st_size
    return Pushed(new, again)


def _size(blob: Path, since: float) -> int:
    return blob.stat().st_size if _is_written(blob, since) else 0


def _is_written(file: Path, since: float) -> bool:
    return file.stat().st_mtime >= since - _TICK_SECONDS
