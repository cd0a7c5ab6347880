"""kn-lambda init."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import click

from kn_lambda.checkout import checkout_folder
from kn_lambda.errors import WrongUsageError
from kn_lambda.options import session_command
from kn_lambda.terminal.documents import print_document
from kn_lambda.terminal.output import echo

if TYPE_CHECKING:
    from kn_lambda.session import Session

_LANGUAGES = ("python", "nodejs")
# The name of the function in the templates.
_PLACEHOLDER = re.compile(r"\bmy-function\b")
_LEFT_BEHIND = shutil.ignore_patterns("__pycache__", "node_modules")


@session_command("init", outputs=("text", "name", "json"))
@click.argument("name")
@click.option(
    "--runtime",
    type=click.Choice(_LANGUAGES),
    default="python",
    help="Runtime of the function (default python).",
)
def command(session: Session, name: str, runtime: str) -> None:
    """Create a function from a template, in the new folder NAME."""
    folder = Path(name)
    function = session.function(folder.name)
    if folder.exists():
        raise WrongUsageError(
            f"{folder} already exists; nothing was changed", hint="Choose another name."
        )
    shutil.copytree(checkout_folder("runtimes", runtime, "template"), folder, ignore=_LEFT_BEHIND)
    for file in folder.rglob("*"):
        if file.is_file():
            file.write_text(_PLACEHOLDER.sub(function.name, file.read_text()))
    if session.output == "json":
        files = sorted(file.relative_to(folder).as_posix() for file in folder.rglob("*"))
        print_document({"name": function.name, "folder": str(folder), "files": files}, "json")
    elif session.output == "name":
        echo(str(folder))
    else:
        echo(f"Created a {runtime} function in {folder}. Next: kn-lambda deploy {folder}")
