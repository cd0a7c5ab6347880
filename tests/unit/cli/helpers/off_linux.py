"""Runs kn-lambda as a system runs it that has no module of Unix alone: `python -m ... list`.

A process of its own, since a module that was imported once stays. Each argument is a command line;
for each one JSON line goes to stdout: exit code and output.
"""

from __future__ import annotations

import importlib
import json
import pkgutil
import shlex
import sys
from importlib.abc import MetaPathFinder
from typing import Any

_UNIX_ALONE = ("fcntl", "grp", "pwd", "readline", "resource", "syslog", "termios", "tty", "pty")

# What `kn-lambda run` imports once it knows that this is Linux.
_LINUX_ALONE = "kn_lambda.running."


class _Missing(MetaPathFinder):
    def find_spec(self, name: str, *_: object) -> None:
        if name in _UNIX_ALONE:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


def main(lines: list[str]) -> None:
    for name in _UNIX_ALONE:
        sys.modules.pop(name, None)
    sys.meta_path.insert(0, _Missing())
    folder = importlib.import_module("kn_lambda").__path__
    for module in pkgutil.walk_packages(folder, "kn_lambda."):
        if not module.name.endswith("__main__") and not module.name.startswith(_LINUX_ALONE):
            importlib.import_module(module.name)
    for line in lines:
        sys.stdout.write(json.dumps(_run(shlex.split(line))) + "\n")


def _run(arguments: list[str]) -> dict[str, Any]:
    from click.testing import CliRunner  # noqa: PLC0415

    from kn_lambda.main import cli  # noqa: PLC0415
    from tests.unit.cli.helpers.fakes import FakePlatform, status  # noqa: PLC0415

    platform = FakePlatform()
    platform.put_record(status=status(phase="Ready"))
    runner = CliRunner(env={"KUBECONFIG": None})
    result = runner.invoke(cli, arguments, obj=lambda _: platform.installation)
    return {"code": result.exit_code, "output": result.output}


if __name__ == "__main__":
    main(sys.argv[1:])
