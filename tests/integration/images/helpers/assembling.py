"""Images made by `python -m images`, with a cache that is kept between runs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

CHECKOUT = Path(__file__).parents[4]


# Kept between runs as `make images` keeps it: 20 s of work that depends on package versions alone.
HOME = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"  # noqa: TID251 - a test's own


CACHE = Path(HOME) / "knative-lambda/images"


def assemble(registry, cache, *names):
    """What `python -m images` prints."""
    arguments = ["--registry", f"{registry.host}/images", "--engine", "layers", "--cache", cache]
    command = [sys.executable, "-m", "images", *arguments, "--only", " ".join(names)]
    ended = subprocess.run(
        list(map(str, command)), cwd=CHECKOUT, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout)
