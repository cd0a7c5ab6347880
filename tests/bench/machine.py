"""The machine and the versions, without anything that tells whose machine it is."""

from __future__ import annotations

import os
import platform
import subprocess
from importlib.metadata import version
from pathlib import Path

_LIBRARIES = (
    "functions-framework", "gunicorn", "cloudevents", "flask", "aiohttp", "kubernetes", "pydantic",
    "boto3", "uv", "pip",
)  # fmt: skip
_KIB_PER_GIB = 1024 * 1024


def describe() -> list[str]:
    """Lines of a list."""
    return [
        f"Processor: {_processor()}, {os.cpu_count()} cores, shared with other work meanwhile",
        f"Memory: {_memory_gib():.0f} GiB; kernel {platform.release()}, {platform.machine()}",
        f"Python {platform.python_version()}; Node {_node()}",
        "Libraries: " + ", ".join(f"{name} {version(name)}" for name in _LIBRARIES),
    ]


def load_average() -> float:
    """Processes that ran or wanted to, over the last minute."""
    return os.getloadavg()[0]


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return "unknown"


def _memory_gib() -> float:
    total = Path("/proc/meminfo").read_text().split("MemTotal:")[1].split()[0]
    return int(total) / _KIB_PER_GIB


def _node() -> str:
    try:
        answer = subprocess.run(["node", "--version"], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return "not installed"
    return answer.stdout.strip().lstrip("v")
