"""Programs on this machine."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
from typing import TYPE_CHECKING

from kn_lambda.checks.check import Check, Verdict
from kn_lambda.cluster.running import platform_info
from kn_lambda.languages import default_language, languages
from kn_lambda.linux import INSTEAD, is_linux
from lambda_embedded.processes.interpreters import find_interpreters
from lambda_embedded.processes.programs import program_path
from lambda_sandbox.isolation import NoSandboxError, find_bubblewrap

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from lambda_builder.language import Language
    from lambda_embedded.processes.interpreters import FoundInterpreter

_SECONDS = 10
_INSTALL_BUBBLEWRAP = "Install it: apt-get install bubblewrap. Then restart kn-lambda up."
_ALLOW_BUBBLEWRAP = (
    "Permit user namespaces: on Ubuntu, add an AppArmor profile for bwrap with the rule userns;"
    " in a container, grant the container more rights."
)
_OTHER_SYSTEM = Check(
    name="system", verdict=Verdict.WARNING, found="kn-lambda up works on Linux only", hint=INSTEAD
)


def check_machine(home: Path, environment: Mapping[str, str]) -> Iterator[Check]:
    """Check what each language needs, and bubblewrap for a platform in `home`."""
    offered = asyncio.run(find_interpreters(languages(), environment))
    for language in languages():
        found = [each for each in offered if each.runtime.language is language]
        yield _check_interpreter(language, found)
        if found:
            yield from _check_programs(language, environment)
    yield _check_bubblewrap(home, environment) if is_linux() else _OTHER_SYSTEM


def _check_interpreter(language: Language, found: list[FoundInterpreter]) -> Check:
    versions = ", ".join(language.versions)
    install = language.interpreter.install if language.interpreter else ""
    return Check(
        name=language.title,
        verdict=Verdict.OK if found else _missing(language),
        found=", ".join(each.exact_version.split()[0] for each in found)
        or f"no version of {versions} is here: {language.title} functions do not work",
        hint=f"For {language.title} functions: {install}. Then restart kn-lambda up.",
    )


def _check_programs(language: Language, environment: Mapping[str, str]) -> Iterator[Check]:
    for name in language.installer.programs:
        if name != language.entrypoint[0]:
            found = _version_of(shutil.which(name, path=program_path(environment)) or "")
            yield Check(
                name=name,
                verdict=Verdict.OK if found else _missing(language),
                found=found or f"not found: {language.title} functions cannot have packages",
                hint=f"Install it: {language.installer.install}",
            )


def _missing(language: Language) -> Verdict:
    """The language of kn-lambda itself works everywhere; others are a person's choice."""
    return Verdict.FAILED if language is default_language() else Verdict.WARNING


def _check_bubblewrap(home: Path, environment: Mapping[str, str]) -> Check:
    try:
        find_bubblewrap(home, environment)
    except NoSandboxError as error:
        installed = shutil.which("bwrap", path=environment.get("PATH"))
        return Check(
            name="bubblewrap",
            verdict=Verdict.WARNING,
            found=f"{error}: builds and functions of kn-lambda up run with all your rights",
            hint=_ALLOW_BUBBLEWRAP if installed else _INSTALL_BUBBLEWRAP,
        )
    if platform_info(home).get("sandbox") is False:
        return Check(
            name="bubblewrap",
            verdict=Verdict.WARNING,
            found="works, but the running platform was started without it",
            hint="Restart it without --no-sandbox and with bwrap on its PATH.",
        )
    version = _version_of(shutil.which("bwrap", path=environment.get("PATH")) or "")
    return Check(name="bubblewrap", verdict=Verdict.OK, found=version or "works")


def _version_of(program: str) -> str | None:
    if not program:
        return None
    try:
        done = subprocess.run(
            [program, "--version"], capture_output=True, text=True, timeout=_SECONDS, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()
