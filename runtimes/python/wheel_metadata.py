"""What a wheel says of itself, read from its archive within limits."""

from __future__ import annotations

import lzma
import re
import zipfile
import zlib
from typing import TYPE_CHECKING

from installer_errors import RecipeError
from packaging.metadata import parse_email
from source_archives import check_directory

if TYPE_CHECKING:
    from pathlib import Path

_METADATA_BYTES = 1024 * 1024
_METADATA = re.compile(r"[^/\\]*\.dist-info[/\\]+METADATA", re.IGNORECASE)
_REQUIRES = re.compile(rb"^[ \t]*requires-dist[ \t]*:", re.IGNORECASE | re.MULTILINE)
_END_OF_ZIP, _END_BYTES = b"PK\x05\x06", 22


def requirements_of(wheel: Path, told: str) -> list[str]:
    """What it needs; `InvalidRequirements` where another program might find something else."""
    try:
        content = _metadata(wheel)
        raw, _ = parse_email(content)
        found = list(raw.get("requires_dist", []))
        # One that is no UTF-8 hides all, and a line that is no field hides those below it.
        if len(_REQUIRES.findall(content)) != len(found):
            raise ValueError("what it needs can be read in more than one way")  # noqa: TRY301 - told like the others
    except (
        OSError, ValueError, RuntimeError, EOFError,
        zipfile.BadZipFile, zlib.error, lzma.LZMAError,
    ) as error:  # fmt: skip
        raise RecipeError("InvalidRequirements", f"{told}: not a wheel: {error}") from None
    return found


def asks_for_address(requirement: str) -> bool:
    """Whether a requirement names where its package is, whatever its marker says.

    Installers differ in what makes a marker true: they know other patch versions of Python and
    other releases of a system, and another package may ask for any extra.
    """
    return "@" in requirement


def _metadata(wheel: Path) -> bytes:
    with wheel.open("rb") as file:
        file.seek(-min(_END_BYTES, wheel.stat().st_size), 2)
        # What follows the end, such as a remark, may be the end of another archive.
        if not file.read().startswith(_END_OF_ZIP):
            raise ValueError("it does not end as a .zip does")
    check_directory(wheel)
    with zipfile.ZipFile(wheel) as archive:
        members = [info for info in archive.infolist() if _METADATA.fullmatch(info.filename)]
        if len(members) != 1:
            raise ValueError("it has no metadata, or more than one file of them")
        with archive.open(members[0]) as file:
            content = file.read(_METADATA_BYTES + 1)
    if len(content) > _METADATA_BYTES:
        raise ValueError("its metadata are too large")
    return content
