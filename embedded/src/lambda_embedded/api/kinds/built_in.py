"""The fields of Kubernetes' own kinds that the API serves, by `testbed/built-in-kinds`."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

Definition = dict[str, Any]
"""`properties` by name, each an OpenAPI schema with its `number` in protobuf, `required`,
and `inline`: definitions by number whose properties are in JSON those of this one."""

_FILE = Path(__file__).with_name("built_in.json")
_PACKAGES = {
    "v1": "io.k8s.api.core.v1",
    "batch/v1": "io.k8s.api.batch.v1",
    "authorization.k8s.io/v1": "io.k8s.api.authorization.v1",
    "authentication.k8s.io/v1": "io.k8s.api.authentication.v1",
}
METADATA = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"
_DELETE_OPTIONS = "io.k8s.apimachinery.pkg.apis.meta.v1.DeleteOptions"


@cache
def built_in_definitions() -> dict[str, Definition]:
    """All definitions by name, read at the first call; callers must not change them."""
    definitions: dict[str, Definition] = json.loads(_FILE.read_bytes())
    return definitions


def definition_name(api_version: str, kind: str) -> str | None:
    """Return the name of a kind's definition, or None for a kind that has none here."""
    if kind == "DeleteOptions":  # Every group has it.
        return _DELETE_OPTIONS
    name = f"{_PACKAGES.get(api_version, '')}.{kind}"
    return name if name in built_in_definitions() else None


def properties_of(definition: Definition) -> dict[str, Definition]:
    """Return the properties of a definition as JSON has them, by name."""
    found: dict[str, Definition] = dict(definition["properties"])
    for inline in definition.get("inline", {}).values():
        found |= properties_of(built_in_definitions()[inline])
    return found
