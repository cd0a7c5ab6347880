"""What a container leaves in storage: written beside it, and put there when it has ended well."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from knative_lambda.adapters.storage import open_storage
from knative_lambda.domain.build import packages_too_large
from knative_lambda.domain.errors import KnativeLambdaError
from lambda_embedded.jobs.plain_file import open_plain_file

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from lambda_embedded.jobs.container_end import ContainerEnd

VARIABLE = "RESULT_URL"
_LIMIT = "RESULT_MAX_BYTES"
_USER_MISTAKE = 1
_TRY_AGAIN = 75


@dataclass(frozen=True, kw_only=True, slots=True)
class Result:
    """One object of storage, and the file in which a container writes what it shall become.

    So the container sees nothing of storage, and what it does not finish reaches nobody.
    """

    uri: str
    file: Path
    limit_bytes: int
    roots: Sequence[Path]

    @classmethod
    def of(
        cls, environment: Mapping[str, str], folder: Path, roots: Sequence[Path]
    ) -> Result | None:
        """Return the result that a container's variables name; None where it is no file.

        `ValueError` for one without a limit.
        """
        url = environment.get(VARIABLE, "")
        if not url.startswith("file:///"):
            return None
        limit = environment.get(_LIMIT, "")
        if not (limit.isascii() and limit.isdigit()):
            raise ValueError(f"{VARIABLE} is a file here, so {_LIMIT} must be a number of bytes")
        # Storage knows no percent-encoding.
        uri = f"file://{unquote(urlsplit(url).path)}"
        return cls(uri=uri, file=folder / "result", limit_bytes=int(limit), roots=roots)

    def store(self, end: ContainerEnd) -> ContainerEnd:
        """Put it into storage if the container ended well, and return how that went."""
        if end.exit_code != 0:
            return end
        with open_plain_file(self.file) as content:
            if content is None:
                return end  # whoever waits for it sees that it is not there
            if os.fstat(content.fileno()).st_size > self.limit_bytes:
                failure = packages_too_large(self.limit_bytes)
                return _failed(end, _USER_MISTAKE, failure.reason, failure.message)
            try:
                open_storage(file_roots=self.roots).write(self.uri, content)
            except KnativeLambdaError as error:
                return _failed(end, _TRY_AGAIN, "ResultUnavailable", error.message)
        return end


def _failed(end: ContainerEnd, exit_code: int, reason: str, message: str) -> ContainerEnd:
    said = json.dumps({"reason": reason, "message": message})
    return replace(end, exit_code=exit_code, reason="Error", message=said)
