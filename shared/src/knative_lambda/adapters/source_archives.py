"""Archives of sources, read by the same code that unpacks them for an image."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from knative_lambda.domain.errors import InvalidContentError
from lambda_oci.archive import Limits, read_files
from lambda_oci.errors import ContentError

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import BinaryIO


@dataclass(frozen=True, kw_only=True, slots=True)
class CheckedSourceArchives:
    """Checks every member, so that publish can unpack what was read."""

    max_bytes: int
    max_files: int

    def read(self, archive: BinaryIO, wanted: Callable[[str], bool]) -> dict[str, bytes]:
        """Return the files that are wanted, by path."""
        limits = Limits(max_bytes=self.max_bytes, max_entries=self.max_files)
        archive.seek(0)
        try:
            return read_files(archive, wanted, limits)
        except ContentError as error:
            raise InvalidContentError(error.message, reason=error.reason) from error
