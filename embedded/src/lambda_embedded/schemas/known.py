"""The kinds whose schema is known; each is read and compiled at first use."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lambda_embedded.installation import INSTALLATION
from lambda_embedded.schemas.schema import compile_schema

if TYPE_CHECKING:
    from lambda_embedded.schemas.schema import Schema

_KNATIVE = Path(__file__).parent / "knative"
_KNATIVE_KINDS = frozenset({"Service", "Broker", "Trigger"})
DEFINITION_PATH = Path("config") / "base" / "lambda-function.yaml"
"""Of LambdaFunction, in an installation."""
DEFINITION = INSTALLATION / DEFINITION_PATH


@dataclass(frozen=True, slots=True)
class Schemas:
    """Schemas by kind; that of LambdaFunction comes from the same definition as on clusters."""

    definition: Path = DEFINITION
    _compiled: dict[str, Schema | None] = field(default_factory=dict)

    def of(self, kind: str) -> Schema | None:
        """Return the schema of a kind; None for kinds that have none here."""
        if kind not in self._compiled:
            source = openapi_schema(kind, self.definition)
            self._compiled[kind] = None if source is None else compile_schema(source)
        return self._compiled[kind]


def openapi_schema(kind: str, definition: Path = DEFINITION) -> dict[str, Any] | None:
    """Return the openAPIV3Schema of a kind as its definition has it, with its descriptions."""
    if kind == "LambdaFunction":
        schema = lambda_function_version(definition)["schema"]
        source: dict[str, Any] | None = schema["openAPIV3Schema"]
    elif kind in _KNATIVE_KINDS:
        source = json.loads((_KNATIVE / f"{kind.lower()}.json").read_bytes())
    else:
        source = None
    return source


def lambda_function_version(definition: Path) -> dict[str, Any]:
    """Return the one version in LambdaFunction's CustomResourceDefinition."""
    import yaml  # noqa: PLC0415  # once, and only when a LambdaFunction is written or shown

    (version,) = yaml.load(definition.read_bytes(), yaml.CSafeLoader)["spec"]["versions"]
    found: dict[str, Any] = version
    return found
