"""`function.yaml`: a LambdaFunction whose source is the folder of the file."""

from __future__ import annotations

import reprlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from kn_lambda.errors import WrongUsageError

if TYPE_CHECKING:
    from pathlib import Path

FILE_NAME = "function.yaml"
_API_VERSION = "knative-lambda.dev/v1alpha1"
_KIND = "LambdaFunction"
_HINT = "Compare it with one that `kn-lambda init` writes."


@dataclass(frozen=True, kw_only=True, slots=True)
class Manifest:
    """The contents of the file; every field is optional."""

    name: str | None = None
    namespace: str | None = None
    spec: dict[str, Any] = field(default_factory=dict)


def read_manifest(path: Path) -> Manifest:
    """Read the file; `WrongUsageError` names the wrong line or field."""
    import yaml  # noqa: PLC0415 # only for deploy

    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise WrongUsageError(f"{path} is not YAML: {_where(error)}", hint=_HINT) from error
    except RecursionError:
        raise WrongUsageError(f"{path} has too many levels", hint=_HINT) from None
    if not isinstance(document, dict):
        raise WrongUsageError(
            f"{path} is not a YAML object; it must begin with `apiVersion: {_API_VERSION}`",
            hint=_HINT,
        )
    for name, wanted in (("apiVersion", _API_VERSION), ("kind", _KIND)):
        if document.get(name) != wanted:
            raise WrongUsageError(
                f"{path}: {name} must be {wanted}, not {_shown(document.get(name))}", hint=_HINT
            )
    metadata, spec = document.get("metadata") or {}, document.get("spec") or {}
    for name, value in (("metadata", metadata), ("spec", spec)):
        if not isinstance(value, dict):
            raise WrongUsageError(f"{path}: {name} must be an object", hint=_HINT)
    for name in document.keys() - {"apiVersion", "kind", "metadata", "spec", "status"}:
        raise WrongUsageError(
            f"{path}: unknown field {name}",
            hint="Settings of a function are fields of spec, such as spec.handler.",
        )
    return Manifest(
        name=_text(path, metadata, "name"), namespace=_text(path, metadata, "namespace"), spec=spec
    )


def _text(path: Path, metadata: dict[str, Any], name: str) -> str | None:
    value = metadata.get(name)
    if value is not None and not isinstance(value, str):
        raise WrongUsageError(
            f"{path}: metadata.{name} must be a string, not {_shown(value)}",
            hint="Put it in quotes.",
        )
    if value == "":
        raise WrongUsageError(
            f"{path}: metadata.{name} is empty", hint="Give it a value, or remove it."
        )
    return value


def _shown(value: object) -> str:
    # A few aliases of lists of aliases are a text that no memory can hold.
    return reprlib.repr(value)


def _where(error: Exception) -> str:
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or str(error)
    return f"line {mark.line + 1}, column {mark.column + 1}: {problem}" if mark else problem
