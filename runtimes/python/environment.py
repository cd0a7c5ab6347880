"""Makes a virtual environment with the server's own packages; see "Contract of a runtime"."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from certificates import with_system_certificates
from uv import find_uv_bin

_LOCK = Path(__file__).with_name("requirements.txt")


def main() -> int:
    """Exit code of the contract; what uv says about a failure is the output."""
    environment = os.environ  # noqa: TID251 - the program's settings, read in this one place
    target = Path(environment["ENVIRONMENT_DIR"])
    steps = (
        ["venv", "--python", environment["INTERPRETER"], str(target)],
        ["pip", "sync", "--require-hashes", "--compile-bytecode",
         "--python", str(target / "bin" / "python"), str(_LOCK)],
    )  # fmt: skip
    for arguments in steps:
        # Away from any project, whose settings are not meant for the server.
        done = subprocess.run(
            [find_uv_bin(), "--no-progress", *arguments],
            cwd=target.parent,
            env=with_system_certificates(environment),
            check=False,
        )
        if done.returncode != 0:
            print(f"uv {arguments[0]} failed with status {done.returncode}")
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
