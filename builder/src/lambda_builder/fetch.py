"""First step of a build: `python -m lambda_builder.fetch` brings the source into the workspace."""

from __future__ import annotations

import sys

from lambda_builder import archive
from lambda_builder.download import download
from lambda_builder.program import run_program
from lambda_builder.settings import Environment, FetchSettings
from lambda_builder.workspace import Workspace, remove


def fetch(settings: FetchSettings) -> None:
    """Leave the unpacked source in the workspace, or nothing and an error."""
    workspace = Workspace(settings.workspace)
    remove(workspace.source)
    limits = archive.Limits(
        max_bytes=settings.source_max_bytes, max_entries=settings.source_max_files
    )
    try:
        download(settings, workspace.context)
        archive.unpack(workspace.context, workspace.source, limits)
    finally:
        remove(workspace.context)


def main(environment: Environment) -> None:
    """Fetch as the environment says."""
    fetch(FetchSettings.read(environment))


if __name__ == "__main__":
    sys.exit(run_program(main))
