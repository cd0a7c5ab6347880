"""In what a lock differs from the file that asks for packages, for a person."""

from __future__ import annotations

from typing import TYPE_CHECKING

from installer_errors import RecipeError
from source_text import shown as cut

if TYPE_CHECKING:
    from pathlib import Path

    from project_requirements import Wanted

_SHOWN = 5


def out_of_date(lock: Path, manifest: Path, added: set[Wanted], gone: set[Wanted]) -> RecipeError:
    """`LockOutOfDate`, with what was added to the manifest since and what has gone from it."""
    differences = [f"{_told(each)} is not in it" for each in _sorted(added)]
    differences += [f"{_told(each)} is only in it" for each in _sorted(gone)]
    shown = "; ".join(differences[:_SHOWN])
    more = f"; and {len(differences) - _SHOWN} more" if len(differences) > _SHOWN else ""
    how = "Run uv lock" if lock.name == "uv.lock" else "Make it anew"
    message = f"{lock.name} is older than {manifest.name}: {shown}{more}. {how}, and deploy again"
    return RecipeError("LockOutOfDate", message)


def _told(requirement: Wanted) -> str:
    return f"{cut(requirement.text)} ({cut(requirement.where)})"


def _sorted(requirements: set[Wanted]) -> list[Wanted]:
    return sorted(requirements, key=lambda each: (each.text, each.where))
