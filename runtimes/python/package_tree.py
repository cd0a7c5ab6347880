"""Makes an installed tree depend on nothing but what was installed."""

from __future__ import annotations

import base64
import hashlib
import json
import shutil
from typing import TYPE_CHECKING, Any

from packaging.utils import canonicalize_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

_ORIGIN = "direct_url.json"


def make_reproducible(folder: Path) -> None:
    """Leave out what names this machine or this minute; the builder adds the bytecode."""
    (folder / ".lock").unlink(missing_ok=True)
    for cache in list(folder.rglob("__pycache__")):
        shutil.rmtree(cache)
    for record in folder.glob("*.dist-info/uv_cache.json"):
        record.unlink()
    _remove_console_scripts(folder / "bin")


def installed_names(folder: Path) -> set[str]:
    """The packages in it, by their canonical names."""
    return {name for name, _ in _distributions(folder)}


def record_addresses(folder: Path, origins: Mapping[str, Mapping[str, Any] | None]) -> None:
    """Say of each package by name where it came from, as PEP 610 does; uv knows only a file.

    None is the index, of which nothing is said.
    """
    for name, information in _distributions(folder):
        file = information / _ORIGIN
        if name in origins:
            if origins[name] is None:
                file.unlink(missing_ok=True)
                _record(information, None)
                continue
            content = json.dumps(origins[name], sort_keys=True).encode()
            file.write_bytes(content)
            digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=")
            _record(information, f"sha256={digest.decode()},{len(content)}")


def _distributions(folder: Path) -> Iterator[tuple[str, Path]]:
    for information in sorted(folder.glob("*.dist-info")):
        yield (
            canonicalize_name(information.name.removesuffix(".dist-info").rpartition("-")[0]),
            information,
        )


def _record(information: Path, said: str | None) -> None:
    file, name = information / "RECORD", f"{information.name}/{_ORIGIN}"
    if file.is_file():
        lines = file.read_text().splitlines()
        others = [line for line in lines if not line.startswith(f"{name},")]
        ours = [] if said is None else [f"{name},{said}"]
        file.write_text("".join(f"{line}\n" for line in sorted([*others, *ours])))


def _remove_console_scripts(scripts: Path) -> None:
    """They hold the path of this build's interpreter, and no function has them on its PATH."""
    if not scripts.is_dir():
        return
    for script in list(scripts.iterdir()):
        if script.is_file() and script.read_bytes()[:2] == b"#!":
            script.unlink()
    if not any(scripts.iterdir()):
        scripts.rmdir()
