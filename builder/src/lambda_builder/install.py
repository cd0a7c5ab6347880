"""`python -I -m lambda_builder.install` installs the packages of a source that runs where it is.

As `lambda_builder.packages` does, with the same settings and reasons, except that the source is
there already and the packages stay: they are compiled for the folder in which they are.
"""

from __future__ import annotations

import sys

from lambda_builder.compilation import compile_folder
from lambda_builder.program import run_program
from lambda_builder.recipe import clear, run_recipes
from lambda_builder.runtime import find_runtime
from lambda_builder.settings import Environment, InstallSettings
from lambda_builder.workspace import Workspace
from lambda_oci.folders import remove


def install(settings: InstallSettings) -> None:
    """Replace the packages of the workspace; after a failure it has none."""
    workspace = Workspace(settings.workspace)
    runtime = find_runtime(settings.runtime, settings.runtimes_dir)
    packages = workspace.root / runtime.language.packages
    clear(workspace, packages)
    try:
        run_recipes(settings, runtime, packages)
        compile_folder(
            packages,
            runtime,
            installed_at=str(packages),
            timeout_seconds=settings.timeout_seconds,
        )
    finally:
        remove(workspace.scratch)


def main(environment: Environment) -> None:
    """Install as the environment says."""
    install(InstallSettings.read(environment))


if __name__ == "__main__":
    sys.exit(run_program(main))
