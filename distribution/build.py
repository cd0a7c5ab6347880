"""Builds the sdist from the files that git tracks, and the wheel from that sdist.

Equal files give equal bytes: whatever else lies in the checkout, wherever it is, whoever builds.
The time in both is SOURCE_DATE_EPOCH, or one that never changes.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path
from tempfile import TemporaryDirectory

_CHECKOUT = Path(__file__).resolve().parents[1]


def main() -> None:
    """Write both into a folder, in place of what an earlier run left there; print their paths."""
    parser = argparse.ArgumentParser(prog="python -m distribution.build", description=__doc__)
    parser.add_argument("--into", type=Path, default=_CHECKOUT / "dist", help="folder to write to")
    into = parser.parse_args().into.resolve()
    for file in [*into.glob("kn_lambda-*.whl"), *into.glob("kn_lambda-*.tar.gz")]:
        file.unlink()
    with TemporaryDirectory(prefix="kn-lambda-") as name:
        staged, unpacked = Path(name, "staged"), Path(name, "unpacked")
        copy_tracked_files(_CHECKOUT, staged)
        _hatchling("sdist", staged, into)
        (sdist,) = into.glob("kn_lambda-*.tar.gz")
        with tarfile.open(sdist) as archive:
            archive.extractall(unpacked, filter="data")
        (source,) = unpacked.iterdir()
        _hatchling("wheel", source, into)
    for file in sorted(into.glob("kn_lambda-*")):
        sys.stdout.write(f"{file}\n")


def copy_tracked_files(checkout: Path, target: Path) -> None:
    """Copy what git knows of, as it lies in the checkout; all of a folder that has no git."""
    if not (checkout / ".git").exists():
        shutil.copytree(checkout, target, ignore=shutil.ignore_patterns("dist", ".venv"))
        return
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=checkout, stdout=-1, check=True).stdout
    for path in listed.decode().split("\0"):
        # A file that was removed, but not yet from the index, is listed as well. A link could bring
        # in any file of whoever builds.
        if path and (source := checkout / path).is_file() and not source.is_symlink():
            (target / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, target / path)


def _hatchling(kind: str, source: Path, into: Path) -> None:
    command = [sys.executable, "-m", "hatchling", "build", "--target", kind, "--directory"]
    subprocess.run([*command, str(into)], cwd=source, stdout=sys.stderr, check=True)


if __name__ == "__main__":
    main()
