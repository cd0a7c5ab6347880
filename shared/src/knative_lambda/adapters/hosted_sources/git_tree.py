"""The files of a commit, below a path."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from knative_lambda.adapters.hosted_sources.git_pack import damaged
from knative_lambda.domain.errors import (
    LimitExceededError,
    SourceNotFoundError,
    UnsupportedSourceError,
)
from knative_lambda.domain.hosted_source import SourceFile

if TYPE_CHECKING:
    from collections.abc import Iterator

    from knative_lambda.adapters.hosted_sources.git_pack import GitObjects, Place

_COMMIT_OF_TAG = re.compile(rb"object ([0-9a-f]{40})\ntype (commit|tag)\n")
_TREE_OF_COMMIT = re.compile(rb"tree ([0-9a-f]{40})\n")
_MOST_TAGS = 5
_MOST_DESCRIPTION_BYTES = 1024 * 1024
# One level of folders that a few names describe; git itself takes trees of any size.
_MOST_TREE_BYTES = 8 * 1024 * 1024
_ID_BYTES = 20
_LONGEST_PATH = 4096
_FILE, _PROGRAM, _FOLDER, _LINK, _SUBMODULE = 0o100644, 0o100755, 0o040000, 0o120000, 0o160000
# Written by very old versions of git.
_GROUP_WRITABLE = 0o100664


class _Entry(NamedTuple):
    name: str
    mode: int
    object_id: bytes


class GitTree:
    """One commit in the objects that a host sent."""

    def __init__(self, objects: GitObjects, *, max_files: int, max_bytes: int) -> None:
        self._objects = objects
        self._max_files = max_files
        self._max_bytes = max_bytes

    def commit(self, object_id: str) -> str:
        """Return the commit itself, where the id is that of a tag."""
        for _ in range(_MOST_TAGS):
            place = self._find(bytes.fromhex(object_id))
            if place.kind == "commit":
                return object_id
            if place.kind != "tag":
                break
            found = _COMMIT_OF_TAG.match(self._described(place))
            if found is None:
                break
            object_id = found[1].decode()
        raise UnsupportedSourceError(
            "source.uri names something in the repository that is no commit", field="source.uri"
        )

    def files(self, commit: str, path: str) -> Iterator[SourceFile]:
        """Yield the files below a path in order, or the file that it is, by its name alone."""
        found = _TREE_OF_COMMIT.match(self._described(self._find(bytes.fromhex(commit))))
        if found is None:
            raise damaged("a commit has no tree")
        entry = _Entry("", _FOLDER, bytes.fromhex(found[1].decode()))
        for name in filter(None, path.split("/")):
            inside = self._entries(entry) if entry.mode == _FOLDER else []
            below = [candidate for candidate in inside if candidate.name == name]
            if not below:
                raise SourceNotFoundError(
                    f"commit {commit} has no {path[:200]!r}", field="source.uri"
                )
            entry = below[0]
        if entry.mode != _FOLDER:
            yield self._file(entry.name, entry)
            return
        is_empty = True
        for file in self._below(entry):
            is_empty = False
            yield file
        if is_empty:
            where = f"below {path[:200]!r}" if path else "in the repository"
            raise SourceNotFoundError(f"no file is {where}", field="source.uri")

    def _below(self, folder: _Entry) -> Iterator[SourceFile]:
        # A few trees that contain each other many times describe more files than there is room.
        left = self._max_files
        waiting = [("", folder)]
        while waiting:
            prefix, entry = waiting.pop()
            if entry.mode != _FOLDER:
                yield self._file(prefix, entry)
                continue
            inside = self._entries(entry)
            left -= len(inside)
            if left < 0:
                raise LimitExceededError(
                    f"the source has over {self._max_files} files and folders", field="source.uri"
                )
            below = f"{prefix}/" if prefix else ""
            if inside and len(below) + max(len(child.name) for child in inside) > _LONGEST_PATH:
                raise UnsupportedSourceError(
                    f"the source has a path of over {_LONGEST_PATH} characters", field="source.uri"
                )
            waiting += [(below + child.name, child) for child in reversed(inside)]

    def _file(self, path: str, entry: _Entry) -> SourceFile:
        if entry.mode == _SUBMODULE:
            raise _unsupported(path, "a submodule", "name its own repository, or copy its files")
        if entry.mode == _LINK:
            raise _unsupported(path, "a symbolic link", "replace it with the file")
        if entry.mode not in {_FILE, _PROGRAM, _GROUP_WRITABLE}:
            raise damaged("a file is of no known kind")
        place = self._find(entry.object_id)
        if place.kind != "blob":
            raise damaged("a file is none")
        if place.size > self._max_bytes:
            raise LimitExceededError(
                f"{path[:200]!r} is over {self._max_bytes} bytes", field="source.uri"
            )
        return SourceFile(path, self._objects.read(place), entry.mode == _PROGRAM)

    def _entries(self, folder: _Entry) -> list[_Entry]:
        place = self._find(folder.object_id)
        if place.kind != "tree" or place.size > _MOST_TREE_BYTES:
            raise damaged("a folder is none")
        content, entries, position = self._objects.read(place), [], 0
        while position < len(content):
            end = content.find(b"\0", position)
            mode, _, name = content[position:end].partition(b" ")
            object_id = content[end + 1 : end + 1 + _ID_BYTES]
            position = end + 1 + _ID_BYTES
            if end < 0 or len(object_id) < _ID_BYTES:
                raise damaged("a folder is cut off")
            entries.append(_Entry(_name(name), _mode(mode), object_id))
        if len({entry.name for entry in entries}) < len(entries):
            raise damaged("a folder has a name twice")
        return entries

    def _described(self, place: Place) -> bytes:
        if place.size > _MOST_DESCRIPTION_BYTES:
            raise damaged("a commit is too large")
        return self._objects.read(place)

    def _find(self, object_id: bytes) -> Place:
        place = self._objects.find(object_id)
        if place is None:
            raise damaged("an object of the commit is missing")
        return place


def _name(name: bytes) -> str:
    try:
        text = name.decode()
    except UnicodeDecodeError:
        raise UnsupportedSourceError(
            f"the name {name[:60]!r} in the repository is not UTF-8", field="source.uri"
        ) from None
    if text in {"", ".", ".."} or "/" in text:
        raise damaged("a name is no name")
    return text


def _mode(mode: bytes) -> int:
    try:
        return int(mode, 8)
    except ValueError:
        raise damaged("a folder has no modes") from None


def _unsupported(path: str, what: str, remedy: str) -> UnsupportedSourceError:
    return UnsupportedSourceError(
        f"{path[:200]!r} in the repository is {what}, which no source can have: {remedy}",
        field="source.uri",
    )
