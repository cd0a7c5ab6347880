"""First step of a build: `python -m lambda_builder.fetch` brings the source into the workspace.

Its arguments are the program that it then becomes, which does not see the URL.
"""

from __future__ import annotations

import sys
from functools import partial
from typing import TYPE_CHECKING

from lambda_builder.download import download
from lambda_builder.program import become, run_program
from lambda_builder.settings import FETCH_VARIABLES, Environment, FetchSettings
from lambda_builder.workspace import Workspace
from lambda_oci import archive
from lambda_oci.folders import remove

if TYPE_CHECKING:
    from collections.abc import Sequence


def fetch(settings: FetchSettings) -> None:
    """Unpack the source into the workspace, or raise and leave nothing there."""
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


def main(next_program: Sequence[str], environment: Environment) -> None:
    """Fetch as the environment says and become the next program, if there is one."""
    fetch(FetchSettings.read(environment))
    if next_program:
        become(next_program, environment.without(FETCH_VARIABLES))


if __name__ == "__main__":
    sys.exit(run_program(partial(main, sys.argv[1:])))
