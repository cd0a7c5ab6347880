"""All records as cleanup remembers them: what it needs of each, in little memory."""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING, NamedTuple, Self
from urllib.parse import quote, unquote

from knative_lambda.domain.lambda_function import Phase
from knative_lambda.domain.names import FunctionId

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from knative_lambda.domain.lambda_function import BuildStatus, LambdaFunction

UNDER_WAY = {Phase.BUILDING, Phase.DEPLOYING}

_NONE = "-"


class SeenRecord(NamedTuple):
    """What one record said: its version then, its newest build, the image it asks for."""

    function: FunctionId
    version: str
    image: str | None
    is_collecting: bool
    build_id: str | None
    packages: tuple[str, ...] = ()
    """Keys of the packages that its builds use: the newest, and the one that succeeded last."""

    @classmethod
    def of(cls, record: LambdaFunction) -> Self:
        """Return what is remembered of a record."""
        said, packages = record.status.build, record.status.packages
        keys = {
            None if said is None else said.packages_key,
            None if packages is None else packages.key,
        }
        return cls(
            function=record.id,
            version=record.resource_version,
            image=record.spec.source.image,
            is_collecting=bool(record.status.collecting),
            build_id=None if said is None else said.id,
            packages=tuple(sorted(key for key in keys if key is not None)),
        )

    def line(self) -> str:
        """Return it as one line, the function first; that takes a quarter of the memory."""
        collecting = "collecting" if self.is_collecting else _NONE
        words = [str(self.function), self.version, self.image or _NONE, collecting]
        # A person may have written any text.
        keys = [_NONE if self.build_id is None else f"={self.build_id}", *self.packages]
        words += [quote(key) for key in keys]
        return " ".join(words)

    @classmethod
    def read(cls, line: str) -> Self:
        """Read such a line."""
        function, version, image, collecting, build_id, *packages = line.split(" ")
        return cls(
            function=FunctionId(*function.split("/")),
            version=version,
            image=None if image == _NONE else image,
            is_collecting=collecting != _NONE,
            build_id=None if build_id == _NONE else unquote(build_id)[1:],
            packages=tuple(unquote(key) for key in packages),
        )


class WorkUnderWay(NamedTuple):
    """What is remembered of a record whose build goes on: its spec may be a megabyte."""

    build: BuildStatus
    requested_at: datetime
    version: str


class SeenRecords:
    """Reads each record once. Of the few with work under way more is remembered."""

    def __init__(self, records: Iterable[LambdaFunction]) -> None:
        self.under_way: dict[FunctionId, WorkUnderWay] = {}
        self.not_taken_up: list[tuple[FunctionId, datetime]] = []
        """And since when they have asked for what nobody has taken up."""
        # One piece until all are read: single lines between the records would fragment the memory
        # that these leave.
        lines = bytearray()
        for record in records:
            lines += f"{SeenRecord.of(record).line()}\n".encode()
            if not record.is_observed and not record.is_being_deleted:
                self.not_taken_up.append((record.id, record.stamp.time))
            elif record.status.build is not None and record.status.phase in UNDER_WAY:
                self.under_way[record.id] = WorkUnderWay(
                    record.status.build, record.stamp.time, record.resource_version
                )
        self._lines = sorted(lines.decode().splitlines())

    def __len__(self) -> int:
        """How many records there were."""
        return len(self._lines)

    def __getitem__(self, number: int) -> SeenRecord:
        """Return one of them; their order is the same in every pass."""
        return SeenRecord.read(self._lines[number])

    def __contains__(self, function: FunctionId) -> bool:
        """Whether there was a record of this lambda."""
        return self._find(function) is not None

    def is_newest_build(self, function: FunctionId, build_id: str) -> bool:
        """Whether this is the build that the lambda runs or is about to run."""
        seen = self._find(function)
        return seen is not None and seen.build_id == build_id

    def has_packages(self, function: FunctionId, key: str) -> bool:
        """Whether images of the lambda are made, or about to be made, with these packages."""
        seen = self._find(function)
        return seen is not None and key in seen.packages

    def _find(self, function: FunctionId) -> SeenRecord | None:
        begin = f"{function} "
        number = bisect_left(self._lines, begin)
        if number == len(self._lines) or not self._lines[number].startswith(begin):
            return None
        return self[number]
