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
_NAMED_VERSION = """

_unnamed_answer = answer


def answer(priced):
    return {{**_unnamed_answer(priced), "version": {version}}}
"""


def source(kind: str, version: int) -> dict[str, str]:
    """Files of a function; versions differ in one line of code, and each answers with its own."""
    if kind == WITHOUT_PACKAGES:
        return {"main.py": f"def handler(event):\n    return {{'version': {version}}}\n"}
    files = {
        str(path.relative_to(_PRICER)): path.read_text()
        for path in sorted(_PRICER.rglob("*"))
        if path.is_file() and path.name not in _LEFT_OUT and "__pycache__" not in path.parts
    }
    return {**files, "main.py": files["main.py"] + _NAMED_VERSION.format(version=version)}


def event(kind: str) -> tuple[dict[str, Any], dict[str, str]]:
    """Data and attributes of an event that the function answers with success."""
    if kind == WITHOUT_PACKAGES:
        return {}, {"id": "1", "source": "/bench", "type": "com.example.measured"}
    document = json.loads((_PRICER / "event.json").read_text())
    names = ("id", "source", "type", "subject", "time")
    return document["data"], {name: document[name] for name in names}


def version_of(answer: bytes) -> int | None:
    """Which version of a function answered; None where the answer does not say."""
    try:
        document = json.loads(answer)
    except ValueError:
        return None
    version = document.get("version") if isinstance(document, dict) else None
    return version if isinstance(version, int) else None
