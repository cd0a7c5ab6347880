"""The runtimes' own modules, importable as they are in an image and in a build."""

from __future__ import annotations

import sys
from pathlib import Path

RUNTIMES = Path(__file__).parents[3] / "runtimes"

for folder in (RUNTIMES / "python" / "server", RUNTIMES / "python"):
    if str(folder) not in sys.path:
        sys.path.append(str(folder))
