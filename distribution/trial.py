"""Tries a wheel as a stranger has it: installed into an empty environment, with an empty HOME.

Every path has a space and a letter beyond ASCII, the environment is read-only, and the checkout is
out of sight, as far as bubblewrap is here.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

_CHECKOUT = Path(__file__).resolve().parents[1]
_OURS = ("KN_LAMBDA_", "XDG_", "VIRTUAL_ENV", "PYTHON")


@dataclass(frozen=True, slots=True)
class Trial:
    """One environment; `folder` has nothing but what the trial itself puts there."""

    folder: Path

    @property
    def environment(self) -> Path:
        """Where the wheel is installed."""
        return self.folder / "installed ä"

    @property
    def work(self) -> Path:
        """The current folder of every command."""
        return self.folder / "work ö"

    def install(self, wheel: Path, python: str) -> None:
        """Install with the locked dependencies, and compile what pip would."""
        for name in ("work ö", "home ü", "tmp é"):
            (self.folder / name).mkdir(parents=True)
        uv = [sys.executable, "-m", "uv"]
        interpreter = str(self.environment / "bin" / "python")
        lock = ["--constraints", str(_CHECKOUT / "requirements" / "run.txt")]
        _run(*uv, "venv", "--quiet", "--python", python, str(self.environment))
        _run(*uv, "pip", "install", "--quiet", "--python", interpreter, *lock, str(wheel))
        (files,) = self.environment.glob("lib/*/site-packages/lambda_embedded/files")
        _run(interpreter, "-m", "compileall", "-qq", str(files))

    def run(self, *arguments: str) -> str:
        """Run kn-lambda and return its stdout; `CalledProcessError` if it fails."""
        program = str(self.environment / "bin" / "kn-lambda")
        return subprocess.run(
            [*self._out_of_sight(), program, *arguments],
            cwd=self.work,
            env=self._variables(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        ).stdout

    def _out_of_sight(self) -> list[str]:
        program = shutil.which("bwrap")
        if program is None:
            return []
        environment = str(self.environment)
        hidden = ["--tmpfs", str(_CHECKOUT), "--ro-bind", environment, environment]
        return [program, "--dev-bind", "/", "/", *hidden, "--chdir", str(self.work)]

    def _variables(self) -> dict[str, str]:
        """This machine's package index and certificates, and nothing that leads to the checkout."""
        machine = os.environ  # noqa: TID251  # children are started with it
        kept = {name: value for name, value in machine.items() if not name.startswith(_OURS)}
        path = [each for each in os.get_exec_path() if not Path(each).is_relative_to(_CHECKOUT)]
        own = {"HOME": "home ü", "TMPDIR": "tmp é"}
        places = {name: str(self.folder / folder) for name, folder in own.items()}
        return {**kept, **places, "PATH": os.pathsep.join(path)}


def _run(*command: str) -> None:
    subprocess.run(command, check=True)


def main() -> None:
    """Install a wheel, then run version, init and demo; the first that fails ends the trial."""
    parser = argparse.ArgumentParser(prog="python -m distribution.trial", description=__doc__)
    parser.add_argument("wheel", type=Path)
    parser.add_argument("--python", default=sys.executable, help="interpreter to install it for")
    options = parser.parse_args()
    with TemporaryDirectory(prefix="kn-lambda ñ ") as folder:
        trial = Trial(Path(folder))
        trial.install(options.wheel, options.python)
        for arguments in (["version"], ["init", "hello"], ["demo"]):
            sys.stdout.write(trial.run(*arguments))


if __name__ == "__main__":
    main()
