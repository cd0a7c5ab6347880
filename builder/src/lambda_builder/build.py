"""Second step of a build: `python -m lambda_builder.build` installs the source's packages.

The only step in which code of others may run; it is given no credentials.
"""

from __future__ import annotations

import sys
import time

from lambda_builder.compilation import compile_folder
from lambda_builder.errors import PlatformError
from lambda_builder.program import run_program
from lambda_builder.recipe import clear, run_recipe
from lambda_builder.runtime import find_runtime
from lambda_builder.settings import BuildSettings, Environment
from lambda_builder.workspace import Workspace
from lambda_oci.folders import remove


def build(settings: BuildSettings) -> None:
    """Install the packages and write their lock; compile them if the runtime has a compiler."""
    workspace = Workspace(settings.workspace)
    if not workspace.source.is_dir():
        raise PlatformError("SourceMissing", "the workspace holds no source; fetch comes first")
    runtime = find_runtime(settings.runtime, settings.runtimes_dir)
    packages = workspace.root / runtime.language.packages
    deadline = time.monotonic() + settings.timeout_seconds
    clear(workspace, packages)
    try:
        run_recipe(settings, runtime, packages)
        for folder in (packages, workspace.source):
            compile_folder(
                folder,
                runtime,
                installed_at=f"/function/{folder.name}",
                timeout_seconds=max(1.0, deadline - time.monotonic()),
            )
    finally:
        remove(workspace.scratch)


def main(environment: Environment) -> None:
    """Build as the environment says."""
    build(BuildSettings.read(environment))


if __name__ == "__main__":
    sys.exit(run_program(main))
