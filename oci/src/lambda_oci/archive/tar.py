"""Adds the files and folders of a tar archive to a tree; links and devices are refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lambda_oci.archive.limits import unsafe
from lambda_oci.archive.names import decode_name, shown
from lambda_oci.archive.tar_members import FILE, FOLDER, read_members

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lambda_oci.archive.limits import Limits
    from lambda_oci.archive.tar_members import Member, Stream
    from lambda_oci.archive.tree import SourceTree

_KINDS = {
    b"1": "a hard link (tar has --hard-dereference)",
    b"2": "a symbolic link (tar has --dereference)",
    b"3": "a device",
    b"4": "a device",
    b"6": "a named pipe",
    b"S": "a sparse file (make the archive without --sparse)",
}
_EXECUTABLE = 0o100


def unpack_tar(stream: Stream, tree: SourceTree, limits: Limits) -> None:
    """Add every member to the tree."""
    for member, content in read_members(stream, limits):
        _add(member, content, tree)


def _add(member: Member, content: Iterator[bytes], tree: SourceTree) -> None:
    name = decode_name(member.name)
    # Archives from before 1988 mark folders by their names.
    if member.kind == FOLDER or (member.kind in FILE and name.endswith("/")):
        tree.add_folder(name)
    elif member.kind in FILE:
        tree.reserve(member.size)
        tree.add_file(name, content, executable=bool(member.mode & _EXECUTABLE))
    else:
        kind = _KINDS.get(member.kind, f"of the unknown type {shown(member.kind)}")
        raise unsafe(f"{shown(name)} is {kind}; only files and folders are unpacked")
