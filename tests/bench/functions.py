"""The functions that are deployed, and events that they take."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).parents[2]
RUNTIME = f"python{sys.version_info.major}.{sys.version_info.minor}"
WITHOUT_PACKAGES = "no packages"
FIVE_WHEELS = "five wheels"
_PRICER = REPOSITORY / "examples" / "order-pricer"
_LEFT_OUT = {"README.md", "event.json", "function.yaml"}


def source(kind: str, version: int) -> dict[str, str]:
    """Files of a function; every version differs from every other in its code alone."""
    if kind == WITHOUT_PACKAGES:
        return {"main.py": f"def handler(event):\n    return {{'version': {version}}}\n"}
    files = {
        str(path.relative_to(_PRICER)): path.read_text()
        for path in sorted(_PRICER.rglob("*"))
        if path.is_file() and path.name not in _LEFT_OUT and "__pycache__" not in path.parts
    }
    return {**files, "main.py": files["main.py"] + f"\nVERSION = {version}\n"}


def event(kind: str) -> tuple[dict[str, Any], dict[str, str]]:
    """Data and attributes of an event that the function answers with success."""
    if kind == WITHOUT_PACKAGES:
        return {}, {"id": "1", "source": "/bench", "type": "com.example.measured"}
    document = json.loads((_PRICER / "event.json").read_text())
    names = ("id", "source", "type", "subject", "time")
    return document["data"], {name: document[name] for name in names}
