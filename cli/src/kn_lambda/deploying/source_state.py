"""The state of a source on disk: what a deployment of it would send."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kn_lambda.deploying.manifest import FILE_NAME
from kn_lambda.deploying.source_files import read_source
from kn_lambda.deploying.source_rules import IGNORE_FILE
from kn_lambda.errors import CommandError, WrongUsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from kn_lambda.deploying.deploy_request import DeployRequest

_SHOWN = 3
# The platform's own limit is checked with every deployment; this one protects the memory here.
_MAX_BYTES = 2**30
_MAX_FILES = 100_000


@dataclass(frozen=True, kw_only=True, slots=True)
class SourceState:
    """A request, and the hash of every file that it deploys; equal states deploy the same."""

    request: DeployRequest
    hashes: Mapping[str, str]

    def changes_since(self, earlier: SourceState | None) -> list[str]:
        """Return the paths that were added, changed or removed; function.yaml for its fields."""
        if earlier is None:
            return sorted(self.hashes)
        named = self.hashes.keys() | earlier.hashes.keys()
        paths = [path for path in named if self.hashes.get(path) != earlier.hashes.get(path)]
        manifest = self.request.manifest.name if self.request.manifest else FILE_NAME
        return [*([manifest] if self.request != earlier.request else []), *sorted(paths)]


def read_state(make_request: Callable[[], DeployRequest]) -> SourceState:
    """Read function.yaml and all files; `CommandError` if they cannot be deployed as they are."""
    try:
        request = make_request()
        if request.files is None:
            raise WrongUsageError(
                "function.yaml names a source of its own, so there are no files to watch",
                hint="Remove spec.source to deploy the files beside it.",
            )
        source = read_source(
            request.files,
            max_bytes=_MAX_BYTES,
            max_files=_MAX_FILES,
            manifest=request.manifest,
            include=request.include,
        )
    except OSError as error:
        raise CommandError(
            f"cannot read {error.filename}: {error.strerror}",
            hint=f"Make it readable, or list it in {IGNORE_FILE}.",
        ) from error
    hashes = {
        file.path: f"{hashlib.sha256(file.content).hexdigest()} {file.is_executable}"
        for file in source.files
    }
    return SourceState(request=request, hashes=hashes)


def changed_text(paths: Sequence[str]) -> str:
    """Return a few names, for one line."""
    more = f" and {len(paths) - _SHOWN} more" if len(paths) > _SHOWN else ""
    return f"{', '.join(paths[:_SHOWN])}{more}"
