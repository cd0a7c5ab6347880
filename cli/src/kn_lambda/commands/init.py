"""kn-lambda init."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kn_lambda.completing import (
    ci_systems,
    completed_by,
    languages_with_versions,
    templates,
)
from kn_lambda.languages import default_language, language_of, languages
from kn_lambda.options import session_command
from kn_lambda.overriding import override
from kn_lambda.program import program
from kn_lambda.terminal.documents import print_document
from kn_lambda.terminal.output import echo

if TYPE_CHECKING:
    from kn_lambda.session import Session
    from lambda_builder.language import Language


class _Runtime(click.ParamType["tuple[Language, str]"]):
    """A language, with a version or without."""

    name = "runtime"

    @override
    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[Language, str]:
        """Return the language, and the version or an empty string."""
        language, version = language_of(value)
        if language is None:
            names = [", ".join((each.name, *each.aliases)) for each in languages()]
            self.fail(f"{value!r} is not a language; choose one of {', '.join(names)}", param, ctx)
        if version and version not in language.versions:
            known = ", ".join(f"{language.name}{each}" for each in language.versions)
            self.fail(f"{value!r} is not a known version; choose one of {known}", param, ctx)
        return language, version


@session_command("init", outputs=("text", "name", "json"))
@click.argument("name")
@click.option(
    "--runtime",
    type=_Runtime(),
    shell_complete=completed_by(languages_with_versions),
    help="Language, with or without a version (default: the one in which kn-lambda runs).",
)
@click.option(
    "--template",
    metavar="NAME",
    help="What the function handles: event, http or cron (default: event).",
    shell_complete=completed_by(templates),
)
@click.option(
    "--ci",
    metavar="SYSTEM",
    help="Add a pipeline that tests and deploys the function: github or gitlab.",
    shell_complete=completed_by(ci_systems),
)
def command(
    session: Session,
    *,
    name: str,
    runtime: tuple[Language, str] | None,
    template: str | None,
    ci: str | None,
) -> None:
    """Create a function with a test, in the folder NAME.

    NAME may be `.` or another folder that exists: no file in it is overwritten.
    """
    from kn_lambda.deploying.deploy_request import name_of_source  # noqa: PLC0415 # quick --help
    from kn_lambda.templates import copy_template  # noqa: PLC0415

    folder = Path(name)
    # The last part of `.` is no name, and people name their folders as they like.
    own_name = name_of_source(folder) if name and folder.is_dir() else folder.name
    function = session.function(own_name)
    language, version = runtime or (default_language(), "")
    files = copy_template(
        folder, function.name, language, template=template, version=version, ci=ci
    )
    if session.output == "json":
        document = {"name": function.name, "folder": str(folder), "files": sorted(files)}
        print_document(document, "json")
    elif session.output == "name":
        echo(str(folder))
    else:
        place = folder if folder.name else "this folder"
        echo(f"Created the {language.title} function {function.name} in {place}.")
        run, deploy = (shlex.join([program(), verb, str(folder)]) for verb in ("run", "deploy"))
        echo(f"Next: {run}, or {deploy}; its README.md says how to test and call it.")
    if ci is not None:
        _warn_inside_a_repository(folder)


def _warn_inside_a_repository(folder: Path) -> None:
    """CI systems read their files at the top of a repository alone."""
    above = folder.resolve().parents
    top = next((each for each in above if (each / ".git").exists()), None)
    if top is not None and not (folder / ".git").exists():
        echo(
            f"The repository {top} runs no pipeline in {folder}: make {folder} a repository of its"
            f" own, or move the pipeline to {top} and adapt its paths.",
            err=True,
        )
