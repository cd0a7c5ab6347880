"""What botocore has to know of S3 here: excerpts of its own data, which `take.py` takes.

All of its data about S3, and about the hosts of four hundred services, is parsed and kept by every
client, and is more than half of what S3 costs a function in memory and in time.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import botocore
from botocore.loaders import JSONFileLoader, Loader
from typing_extensions import override

FOLDER = Path(__file__).parent / f"botocore-{botocore.__version__}"
"""Excerpts hold for the release that they were taken from; any other one reads its own data."""


class ExcerptLoader(JSONFileLoader):
    """The `file_loader` of a session's loader; only files of botocore's own are replaced."""

    def __init__(self, folder: Path = FOLDER) -> None:
        self._folder = folder

    @override
    def load_file(self, file_path: str) -> Any:
        """The excerpt of a file where there is one, else the whole file."""
        path = Path(file_path)
        if path.is_relative_to(Loader.BUILTIN_DATA_PATH):
            excerpt = self._folder / f"{path.relative_to(Loader.BUILTIN_DATA_PATH)}.json"
            if excerpt.is_file():
                return json.loads(excerpt.read_bytes())
        return super().load_file(file_path)
