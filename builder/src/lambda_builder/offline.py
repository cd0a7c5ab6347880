"""`python -I -m lambda_builder.offline -- command...` runs a command that has no network.

For code of strangers: see `seccomp`. Where the network cannot be taken away, nothing runs.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from lambda_builder.errors import PlatformError
from lambda_builder.own_interpreter import find_program
from lambda_builder.seccomp import forbid_network

_REASON = "SourceBuildUnavailable"


def main(arguments: list[str]) -> int:
    """Become the command; the exit code of a recipe where that cannot be done."""
    if not arguments or arguments[0] != "--" or not arguments[1:]:
        return _refused("there is no command to run")
    command = arguments[1:]
    environment = dict(os.environ)  # noqa: TID251 - that of the command, as it is
    if (program := find_program(command[0], environment.get("PATH"))) is None:
        return _refused(f"the program {command[0]!r} cannot be started")
    try:
        forbid_network()
    except OSError as error:
        return _refused(f"the network cannot be taken away from it here ({error.strerror})")
    return os.execve(program, [command[0], *command[1:]], environment)  # noqa: S606 - no shell on purpose


def _refused(problem: str) -> int:
    message = f"nothing is built from source: {problem}"
    print(message, file=sys.stderr)  # noqa: T201 - the log of the build
    if result := os.environ.get("RESULT_FILE"):  # noqa: TID251 - as any recipe
        Path(result).write_text(json.dumps({"reason": _REASON, "message": message}))
    return PlatformError.exit_code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
