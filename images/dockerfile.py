"""The image config in the last stage of a Dockerfile.

Images that are assembled from layers read it from there, so that it is written once.
"""

from __future__ import annotations

import json
import re
import shlex
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

Json = dict[str, object]
_VARIABLE = re.compile(r"\$\{?([A-Z_][A-Z0-9_]*)\}?")


def read_config(dockerfile: Path, arguments: Mapping[str, str]) -> Json:
    """The `config` object of an image, with build arguments filled in.

    `ValueError` for an instruction that is not supported.
    """
    environment: dict[str, str] = {}
    labels: dict[str, str] = {}
    config: Json = {}
    for instruction, text in _last_stage(dockerfile.read_text()):
        value = _VARIABLE.sub(lambda found: arguments.get(found[1], found[0]), text)
        match instruction:
            case "ENV":
                environment |= _pairs(value)
            case "LABEL":
                labels |= _pairs(value)
            case "WORKDIR":
                config["WorkingDir"] = value
            case "USER":
                config["User"] = value
            case "ENTRYPOINT":
                config["Entrypoint"] = json.loads(value)
            case "EXPOSE":
                config["ExposedPorts"] = {f"{port}/tcp": {} for port in value.split()}
            case "ARG" | "COPY" | "RUN" | "FROM":
                pass
            case _:
                raise ValueError(f"{dockerfile}: {instruction} is not supported")
    config["Env"] = [f"{name}={value}" for name, value in environment.items()]
    return config | ({"Labels": labels} if labels else {})


def _last_stage(text: str) -> list[tuple[str, str]]:
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    joined = re.sub(r"\\\n", " ", "\n".join(lines))
    instructions: list[tuple[str, str]] = []
    for line in joined.splitlines():
        instruction, _, rest = line.strip().partition(" ")
        if instruction.upper() == "FROM":
            instructions = []
        if instruction:
            instructions.append((instruction.upper(), rest.strip()))
    return instructions


def _pairs(text: str) -> dict[str, str]:
    found = (word.partition("=") for word in shlex.split(text))
    return {name: value for name, _, value in found}
