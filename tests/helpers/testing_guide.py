"""The code of docs/TESTING_FUNCTIONS.md."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tests.helpers.dev_overlay import REPOSITORY

if TYPE_CHECKING:
    from pathlib import Path

GUIDE = REPOSITORY / "docs" / "TESTING_FUNCTIONS.md"
_FILE = re.compile(r"^<!-- file: (\S+) -->\n```\w+\n(.*?)^```$", re.DOTALL | re.MULTILINE)


def files_of_the_guide() -> dict[str, str]:
    """Return the text of each file, by the path that a comment before it names."""
    return dict(_FILE.findall(GUIDE.read_text()))


def write_files(folder: Path, below: str) -> None:
    """Write the files of one folder of the guide."""
    for path, text in files_of_the_guide().items():
        if path.startswith(f"{below}/"):
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(text)
