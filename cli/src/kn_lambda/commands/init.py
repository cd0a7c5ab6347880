"""kn-lambda init."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from typing_extensions import override

from kn_lambda.errors import WrongUsageError
from kn_lambda.languages import default_language, language_names, languages
from kn_lambda.options import session_command
from kn_lambda.terminal.documents import print_document
from kn_lambda.terminal.output import echo

if TYPE_CHECKING:
    from kn_lambda.session import Session
    from lambda_builder.language import Language

# The name of the function in the templates.
_PLACEHOLDER = re.compile(r"\bmy-function\b")


class _Language(click.ParamType["Language"]):
    """The name of a language of the installation."""

    name = "language"

    @override
    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> Language:
        """Return the language."""
        found = next((each for each in languages() if each.name == value), None)
        if found is None:
            self.fail(f"{value!r} is not one of {', '.join(language_names())}", param, ctx)
        return found


@session_command("init", outputs=("text", "name", "json"))
@click.argument("name")
@click.option(
    "--runtime",
    type=_Language(),
    help="Language of the template (default: the one in which kn-lambda runs).",
)
def command(session: Session, name: str, runtime: Language | None) -> None:
    """Create a function from a template, in the new folder NAME."""
    folder = Path(name)
    function = session.function(folder.name)
    if folder.exists():
        raise WrongUsageError(
            f"{folder} already exists; nothing was changed", hint="Choose another name."
        )
    language = runtime or default_language()
    leftovers = shutil.ignore_patterns(*language.source.leftovers)
    shutil.copytree(language.folder / "template", folder, ignore=leftovers)
    for file in folder.rglob("*"):
        if file.is_file():
            file.write_text(_PLACEHOLDER.sub(function.name, file.read_text()))
    if session.output == "json":
        files = sorted(file.relative_to(folder).as_posix() for file in folder.rglob("*"))
        print_document({"name": function.name, "folder": str(folder), "files": files}, "json")
    elif session.output == "name":
        echo(str(folder))
    else:
        echo(f"Created a {language.name} function in {folder}. Next: kn-lambda deploy {folder}")
