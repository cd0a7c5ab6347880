"""Which saves in a folder can matter to the function in it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from kn_lambda.deploying.manifest import FILE_NAME
from kn_lambda.deploying.source_rules import IGNORE_FILE, SourceRules
from kn_lambda.errors import WrongUsageError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


class FolderFilter:
    """Whether a path of a folder can matter to a function: others change all the time."""

    def __init__(self, folder: Path, include: Sequence[str] = ()) -> None:
        self._folder, self._include = folder, include
        self._rules: SourceRules | None = None

    def __call__(self, path: str) -> bool:
        """Return whether it describes the function, or would be deployed."""
        own = os.path.relpath(path, self._folder)
        if own == IGNORE_FILE:
            self._rules = None
        if own in {FILE_NAME, IGNORE_FILE}:
            return True
        try:
            self._rules = self._rules or SourceRules(self._folder, self._include)
        except (OSError, WrongUsageError):
            # Reading the source says what is wrong with them.
            return True
        return not self._rules.ignores(own) and not self._rules.hold_credentials(own)
