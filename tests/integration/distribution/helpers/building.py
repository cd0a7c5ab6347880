"""Builds wheel and sdist of a checkout."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

CHECKOUT = Path(__file__).parents[4]


@dataclass(frozen=True)
class Built:
    """The two files that people get."""

    wheel: Path
    sdist: Path

    def contents(self) -> list[bytes]:
        return [self.wheel.read_bytes(), self.sdist.read_bytes()]


def build(checkout: Path, into: Path, **environment: str) -> Built:
    """Build a checkout with its own programs, as `make dist` does."""
    subprocess.run(
        [sys.executable, "-m", "distribution.build", "--into", str(into)],
        cwd=checkout,
        env={"PATH": "/usr/bin:/bin", **environment},
        check=True,
        capture_output=True,
    )
    (wheel,), (sdist,) = into.glob("*.whl"), into.glob("*.tar.gz")
    return Built(wheel, sdist)
