"""kn-lambda uninstall."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from kn_lambda.errors import WrongUsageError
from kn_lambda.option_groups.confirming import confirm
from kn_lambda.options import session_command
from kn_lambda.terminal.documents import print_document
from kn_lambda.terminal.output import echo
from kn_lambda.terminal.tables import print_table

if TYPE_CHECKING:
    from pathlib import Path

    from kn_lambda.session import Session
    from kn_lambda.uninstalling.data_removal import Part
    from kn_lambda.uninstalling.installed_files import InstalledFile


@session_command("uninstall")
@click.option("-y", "--yes", is_flag=True, help="Remove the data without asking.")
@click.option("--dry-run", is_flag=True, help="Only show what is where, and how large it is.")
def command(session: Session, yes: bool, dry_run: bool) -> None:
    """Remove the data of the embedded platform.

    That is its functions, images, events and logs. It also shows what else is on this machine and
    the command that removes it. Clusters stay as they are.
    """
    from kn_lambda.uninstalling.data_removal import data_parts, remove_data, running_error  # noqa: PLC0415
    from kn_lambda.uninstalling.installed_files import installed_files  # noqa: PLC0415
    from lambda_embedded.data_folder import DataFolder  # noqa: PLC0415

    if session.target.context is not None:
        raise WrongUsageError(
            "--context is for clusters, which uninstall does not change", hint="Omit --context."
        )
    home = session.target.home
    parts, others = data_parts(home), list(installed_files())
    if session.output == "text":
        _show(home, parts, others)
    is_removed = bool(parts) and not dry_run
    if is_removed:
        if DataFolder(home).is_locked():
            raise running_error(home)
        if not yes:
            confirm(f"Remove {str(home)!r} and everything in it?", what="the data")
        remove_data(home)
    if session.output == "json":
        print_document(_document(home, parts, others, is_removed=is_removed), "json")
    elif is_removed:
        echo(f"Removed {home}.")


def _show(home: Path, parts: list[Part], others: list[InstalledFile]) -> None:
    from kn_lambda.cluster.disk_usage import disk_usage, readable_size  # noqa: PLC0415

    if parts:
        rows = [(str(part.path), readable_size(part.size)) for part in parts]
        rows.append((str(home), readable_size(disk_usage(home))))
        print_table(("data", "size"), rows)
    else:
        echo(f"There is no data in {home}.")
    left = [(each.what, str(each.path), each.remove) for each in others]
    echo("\nNot removed:")
    print_table(("what", "where", "to remove it"), left)


def _document(
    home: Path, parts: list[Part], others: list[InstalledFile], *, is_removed: bool
) -> dict[str, object]:
    return {
        "home": str(home),
        "removed": is_removed,
        "data": [{"path": str(part.path), "bytes": part.size} for part in parts],
        "others": [
            {"what": each.what, "path": str(each.path), "remove": each.remove} for each in others
        ],
    }
