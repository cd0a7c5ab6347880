"""The request to deploy a function: function.yaml, overridden by the command line."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from kn_lambda.deploying.images import require_digest
from kn_lambda.deploying.manifest import FILE_NAME, Manifest, read_manifest
from kn_lambda.deploying.runtimes import default_module, guess_language, require_code
from kn_lambda.deploying.settings_change import SettingsChange
from kn_lambda.errors import WrongUsageError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_MODULE = re.compile(r"[\w-]+(?:\.[\w-]+)*", re.ASCII)


@dataclass(frozen=True, kw_only=True, slots=True)
class Overrides:
    """Options of the command line; None leaves a field to function.yaml."""

    name: str | None = None
    runtime: str | None = None
    handler: str | None = None
    signature: str | None = None
    change: SettingsChange = field(default_factory=SettingsChange)
    source: str | None = None
    source_sha256: str | None = None
    source_secret: str | None = None
    image: str | None = None
    include: Sequence[str] = ()
    refresh: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class DeployRequest:
    """A function to deploy; `files` is its source code, None if the spec names a source.

    `include` has patterns of files to deploy that are left out by default; `change` is what options
    set, which `spec` does not say; `refresh` installs packages anew that are kept.
    """

    name: str
    namespace: str | None
    files: Path | None
    manifest: Path | None = None
    include: Sequence[str] = ()
    change: SettingsChange = field(default_factory=SettingsChange)
    spec: dict[str, Any] = field(default_factory=dict)
    refresh: bool = False


def make_deploy_request(
    path: Path, manifest_path: Path | None, overrides: Overrides
) -> DeployRequest:
    """Combine function.yaml and the options; `validate_spec` checks the result later."""
    manifest = _find_manifest(path, manifest_path)
    spec = dict(manifest.spec)
    given = {name: getattr(overrides, name) for name in ("runtime", "handler", "signature")}
    spec.update({name: value for name, value in given.items() if value is not None})
    files = _choose_source(spec, path, overrides)
    require_digest(spec)
    if files is not None:
        require_code(files)
    if "runtime" not in spec:
        spec["runtime"] = guess_language(path)
    if files is not None and files.is_file() and "handler" not in spec:
        spec |= _handler_of(files, str(spec["runtime"]))
    name = overrides.name or manifest.name or name_of_source(path)
    return DeployRequest(
        name=name,
        namespace=manifest.namespace,
        files=files,
        manifest=manifest_path,
        include=overrides.include,
        change=overrides.change,
        spec=spec,
        refresh=overrides.refresh,
    )


def _handler_of(file: Path, runtime: str) -> dict[str, str]:
    """Return the handler of a single file of another name than the default module."""
    is_default = file.stem == default_module(runtime)
    return {} if is_default else {"handler": f"{_module_of(file)}.handler"}


def _module_of(file: Path) -> str:
    """Return the file's name with its dots: servers look for a file of that name too."""
    if not _MODULE.fullmatch(file.stem):
        raise WrongUsageError(
            f"{file.name!r} is not a valid file name for a handler",
            hint="Rename the file: use ASCII letters, digits, '_', '-' and single dots in between.",
        )
    return file.stem


def _find_manifest(path: Path, given: Path | None) -> Manifest:
    if given is not None:
        return read_manifest(given)
    beside = path / FILE_NAME
    return read_manifest(beside) if path.is_dir() and beside.is_file() else Manifest()


def _choose_source(spec: dict[str, Any], path: Path, overrides: Overrides) -> Path | None:
    if overrides.source and overrides.image:
        raise WrongUsageError(
            "--source and --image both say what to deploy", hint="Use only one of them."
        )
    if overrides.source:
        spec["source"] = _source_at(overrides.source, overrides)
    elif overrides.source_sha256 or overrides.source_secret:
        raise WrongUsageError(
            "--source-sha256 and --source-secret are for --source",
            hint="Add --source, or omit them: spec.source in function.yaml has both fields too.",
        )
    elif overrides.image:
        spec["source"] = {"image": overrides.image}
    if "source" not in spec:
        return path
    if overrides.include:
        raise WrongUsageError(
            "--include is for files in PATH, but the source is not in PATH",
            hint="Omit --include, or the source: --source, --image or spec.source.",
        )
    return None


def _source_at(uri: str, overrides: Overrides) -> dict[str, Any]:
    source: dict[str, Any] = {"uri": uri}
    if overrides.source_sha256:
        source["sha256"] = overrides.source_sha256
    if overrides.source_secret:
        source["secretRef"] = {"name": overrides.source_secret}
    return source


def name_of_source(path: Path) -> str:
    """Return the name of a function that is named after its file or folder."""
    resolved = path.resolve()
    name = resolved.stem if resolved.is_file() else resolved.name
    return re.sub(r"[^a-z0-9-]+", "-", name.lower()).strip("-") or "function"
