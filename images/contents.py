"""What an image holds over its interpreter, as folders that mirror `/`.

The Dockerfiles run this in their first stage and the assembly from layers runs it here, so that
both give the same files.
"""

from __future__ import annotations

import platform
import shutil
import subprocess
import sys
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import TYPE_CHECKING

from images.interpreter import Interpreter

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

    from lambda_builder.language import Language

_OURS = {"function", "builder"}
DEPENDENCIES, CODE = "dependencies", "code"
PACKAGES = "app/packages"
_IGNORED = ("__pycache__", "templates", "ci", "Dockerfile", "*.in", ".*")
# Of botocore's 400 services, those that reading S3 and finding credentials for it need.
_AWS_SERVICES = {"s3", "sts", "sso", "sso-oidc", "signin"}


@dataclass(frozen=True, slots=True)
class Contents:
    """Fills folders from the files of a checkout, for an interpreter.

    Kinds: `function`, `builder`, and the languages of the runtimes.
    """

    checkout: Path
    python: Interpreter

    def lock(self, kind: str) -> Path | None:
        """The packages that images of this kind hold besides our code."""
        name = {
            "function": "requirements/functions.txt",
            "builder": "requirements/builder.txt",
        }.get(kind)
        if name is not None:
            return self.checkout / name
        language = self._language(kind)
        lock = language.images.lock if language.images else None
        return language.folder / lock if lock else None

    def sources(self, kind: str, name: str) -> list[Path]:
        """The folders of our code for images of this kind, and, for functions, of this name."""
        folders = {
            "function": (f"functions/{name}", "shared/src/knative_lambda", "oci/src/lambda_oci"),
            "builder": ("builder/src/lambda_builder", "oci/src/lambda_oci", "runtimes"),
        }.get(kind, (f"runtimes/{kind}/server",))
        return [self.checkout / folder for folder in folders]

    def dependencies(self, kind: str, target: Path) -> None:
        """The packages: at /app/packages, or, for a runtime, in its interpreter's site-packages."""
        if (lock := self.lock(kind)) is None:
            return
        packages = target / (PACKAGES if kind in _OURS else self.python.site_packages())
        self._install(lock, packages)
        trim(packages, programs={"uv"} if kind == "builder" else set())
        self.python.compile(target)

    def code(self, kind: str, name: str, target: Path) -> None:
        """Our own code."""
        if kind == "function":
            self._function(name, target / "app")
            self._find(target, "/app/shared", f"/{PACKAGES}")
        elif kind == "builder":
            self._find(target, "/app", f"/{PACKAGES}")
            self._copy("builder/src/lambda_builder", target / "app/lambda_builder")
            self._copy("oci/src/lambda_oci", target / "app/lambda_oci")
            for definition in sorted((self.checkout / "runtimes").glob("*/runtime.toml")):
                language = definition.parent.name
                self._copy(f"runtimes/{language}", target / "runtimes" / language)
        else:
            self._copy(f"runtimes/{kind}/server", target / "runtime")
            # The layers of a function are mounted below it.
            (target / "function/source").mkdir(parents=True)
        if kind in _OURS or self._is_own(kind):
            self.python.compile(target)

    def _is_own(self, language: str) -> bool:
        from lambda_builder.runtime import is_own  # noqa: PLC0415 - as below

        return is_own(self._language(language))

    def _language(self, name: str) -> Language:
        # The image of a function is made where the builder is not.
        from lambda_builder.runtime_file import FILE_NAME, read_language  # noqa: PLC0415

        return read_language(self.checkout / "runtimes" / name / FILE_NAME)

    def _function(self, name: str, app: Path) -> None:
        main = self.checkout / "functions" / name / "main.py"
        if not main.is_file():
            raise SystemExit(f"FUNCTION: there is no function {name!r} below functions/")
        self._copy("shared/src/knative_lambda", app / "shared/knative_lambda")
        self._copy("oci/src/lambda_oci", app / "shared/lambda_oci")
        shutil.copyfile(main, app / "main.py")

    def _find(self, target: Path, *folders: str) -> None:
        """Have the interpreter find modules there when it starts isolated, too.

        It then reads neither PYTHONPATH nor what is in a home.
        """
        found = target / self.python.site_packages()
        found.mkdir(parents=True)
        (found / "knative_lambda.pth").write_text("".join(f"{folder}\n" for folder in folders))

    def _install(self, lock: Path, target: Path) -> None:
        """Install wheels by hash for the image's interpreter, whichever runs this program."""
        arguments = ["--target", str(target), "--python-version", self.python.version]
        arguments += ["--python-platform", f"{platform.machine()}-manylinux_2_28"]
        arguments += ["--link-mode", "copy", "--no-deps", "--require-hashes", "--only-binary"]
        uv = [sys.executable, "-I", "-m", "uv", "pip", "install", "--quiet"]
        subprocess.run([*uv, *arguments, ":all:", "--requirements", str(lock)], check=True)

    def _copy(self, source: str, target: Path) -> None:
        folder = self.checkout / source
        for file in files_of(folder):
            copy = target / file.relative_to(folder)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(file, copy)


def files_of(folder: Path) -> list[Path]:
    """The files of our code below a folder that images hold: without those of tools, in order."""
    return [
        file
        for file in sorted(folder.rglob("*"))
        if file.is_file()
        and not any(
            fnmatch(part, pattern)
            for part in file.relative_to(folder).parts
            for pattern in _IGNORED
        )
    ]


def trim(packages: Path, programs: AbstractSet[str]) -> None:
    """Remove programs, lists of files and descriptions of services that no image of ours uses."""
    (packages / ".lock").unlink(missing_ok=True)
    for program in list((packages / "bin").glob("*")):
        if program.name not in programs:
            program.unlink()
    for record in packages.glob("*.dist-info/RECORD"):
        # They list the files that were just removed.
        record.unlink()
    # The asynchronous client is a second copy of the first.
    if (second := packages / "kubernetes/aio").exists():
        shutil.rmtree(second)
    for service in list(packages.glob("boto*/data/*/")):
        if service.name not in _AWS_SERVICES:
            shutil.rmtree(service)


def main() -> None:
    """`python -m images.contents <kind> <target> [name]`, in an image that is being built."""
    kind, target, name = (*sys.argv[1:], "")[:3]
    contents = Contents(Path.cwd(), Interpreter.current())
    for part in (DEPENDENCIES, CODE):
        (Path(target) / part).mkdir(parents=True)
    contents.dependencies(kind, Path(target) / DEPENDENCIES)
    contents.code(kind, name, Path(target) / CODE)


if __name__ == "__main__":
    main()
