"""An archive in, a source folder or a refusal out."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pytest

from lambda_oci import archive
from lambda_oci.errors import ContentError

if TYPE_CHECKING:
    from pathlib import Path


class Unpacker:
    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.source = folder / "source"

    def unpack(self, content: bytes, **limits: int) -> dict[str, bytes]:
        """Files by name, after unpacking under small limits."""
        (self._folder / "archive").write_bytes(content)
        bounds = {"max_bytes": 100_000, "max_entries": 50} | limits
        archive.unpack(self._folder / "archive", self.source, archive.Limits(**bounds))
        paths = (path for path in self.source.rglob("*") if path.is_file())
        files = {str(path.relative_to(self.source)): path.read_bytes() for path in paths}
        assert self.read(content, **bounds) == files
        return files

    @staticmethod
    def read(content: bytes, **limits: int) -> dict[str, bytes]:
        """All files by name, without unpacking."""
        return archive.read_files(io.BytesIO(content), lambda _: True, archive.Limits(**limits))

    def refusal(self, content: bytes, **limits: int) -> ContentError:
        """Why it is refused; nothing of it may stay, inside its folder or beside it."""
        with pytest.raises(ContentError) as caught:
            self.unpack(content, **limits)
        assert [path.name for path in self._folder.iterdir()] == ["archive"]
        # Whoever only reads it is told the same.
        with pytest.raises(ContentError) as read:
            self.read(content, **{"max_bytes": 100_000, "max_entries": 50} | limits)
        assert str(read.value) == str(caught.value)
        return caught.value


@pytest.fixture
def unpacker(tmp_path: Path) -> Unpacker:
    folder = tmp_path / "workspace"
    folder.mkdir()
    return Unpacker(folder)
