"""Images made by `python -m images`, with a cache that is kept between runs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

CHECKOUT = Path(__file__).parents[4]


# Debian's packages alone are kept between runs: layers that an earlier run made, on a machine in
# another state, would be compared with those of this one.
HOME = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"  # noqa: TID251 - a test's own
PACKAGES = Path(HOME) / "knative-lambda/images/debian"


def new_cache(folder):
    """A cache for `assemble` that holds no layer yet."""
    PACKAGES.mkdir(parents=True, exist_ok=True)
    folder.mkdir()
    (folder / "debian").symlink_to(PACKAGES)
    return folder


def assemble(registry, cache, *names, umask=-1):
    """What `python -m images` prints."""
    arguments = ["--registry", f"{registry.host}/images", "--engine", "layers", "--cache", cache]
    command = [sys.executable, "-m", "images", *arguments, "--only", " ".join(names)]
    ended = subprocess.run(
        list(map(str, command)),
        cwd=CHECKOUT,
        umask=umask,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout)
