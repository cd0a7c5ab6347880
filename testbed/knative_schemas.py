"""Writes the schemas of Knative's kinds for the embedded API from the Go modules pinned here."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import yaml

_TESTBED = Path(__file__).resolve().parent
_PINNED = _TESTBED / "components" / "knative"
_FOLDER = _TESTBED.parent / "embedded" / "src" / "lambda_embedded" / "schemas" / "knative"
_DEFINITIONS = {
    "service": ("knative.dev/serving", "config/core/300-resources/service.yaml"),
    "broker": ("knative.dev/eventing", "config/core/resources/broker.yaml"),
    "trigger": ("knative.dev/eventing", "config/core/resources/trigger.yaml"),
}


def main() -> None:
    """Write every file."""
    for name, (module, path) in _DEFINITIONS.items():
        definition = yaml.safe_load((_module_folder(module) / path).read_text())
        (version,) = [each for each in definition["spec"]["versions"] if each["name"] == "v1"]
        text = json.dumps(version["schema"]["openAPIV3Schema"], separators=(",", ":"))
        (_FOLDER / f"{name}.json").write_text(text + "\n")


def _module_folder(module: str) -> Path:
    subprocess.run(["go", "mod", "download", module], cwd=_PINNED, check=True)
    command = ["go", "list", "-m", "-f", "{{.Dir}}", module]
    result = subprocess.run(command, cwd=_PINNED, check=True, capture_output=True, text=True)
    return Path(result.stdout.strip())


if __name__ == "__main__":
    main()
