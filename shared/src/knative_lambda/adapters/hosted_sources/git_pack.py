"""Unpacks what a git server sends, object by object, onto disk.

In bounded memory: of an object no more is in memory than a piece, whatever a pack states.
"""

from __future__ import annotations

import hashlib
import struct
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from knative_lambda.domain.errors import LimitExceededError, UnsupportedSourceError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import BinaryIO

_HEADER = struct.Struct(">4sLL")
_KINDS = {1: "commit", 2: "tree", 3: "blob", 4: "tag"}
_OFFSET_DELTA, _ID_DELTA = 6, 7
_ID_BYTES = 20
_PIECE = 64 * 1024
_LONGEST_NUMBER = 9
_COPY = 0x80
_WAY_OUT = "put the function into a repository of its own"
_LONGEST_COPY = 0x10000
# Commands that make one object of another are in memory.
_MOST_DELTA_BYTES = 8 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Place:
    """Where an object's content is."""

    kind: str
    start: int
    size: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Bounds:
    """Of all objects together; `check_time` raises if no time is left."""

    max_bytes: int
    max_objects: int
    check_time: Callable[[], None]


class GitObjects:
    """The objects of a pack by their ids, which are hashes of what they contain."""

    def __init__(self, file: BinaryIO, bounds: Bounds) -> None:
        self._file = file
        self._bounds = bounds
        self._places: dict[bytes, Place] = {}
        self._end = 0

    def find(self, object_id: bytes) -> Place | None:
        """Return where an object is; None if the host did not send it."""
        return self._places.get(object_id)

    def read(self, place: Place) -> bytes:
        """Return all of an object: the caller knows how large it may be."""
        return self._piece(place.start, place.size)

    def add(self, kind: str, size: int, content: Iterator[bytes]) -> Place:
        """Store an object of a stated size; it is known by its id from now on."""
        self._bounds.check_time()
        place = Place(kind, self._end, size)
        self._reserve(size)
        digest = hashlib.sha1(f"{kind} {size}\0".encode(), usedforsecurity=False)
        self._file.seek(place.start)
        left = size
        for piece in content:
            left -= len(piece)
            if left < 0:
                break
            digest.update(piece)
            # What comes piece by piece may have been read from this very file.
            self._file.seek(place.start + size - left - len(piece))
            self._file.write(piece)
        if left:
            raise damaged("an object has another size than it states")
        self._places[digest.digest()] = place
        return place

    def add_delta(self, base: Place, delta: bytes) -> Place:
        """Store what a delta makes of another object."""
        base_size, position = _number(delta, 0)
        size, position = _number(delta, position)
        if base_size != base.size:
            raise damaged("a delta is of another object")
        return self.add(base.kind, size, self._applied(base, delta, position))

    def _applied(self, base: Place, delta: bytes, position: int) -> Iterator[bytes]:
        held = bytearray()
        while position < len(delta):
            command = delta[position]
            position += 1
            if command & _COPY:
                start, length, position = _copy(delta, command, position)
                if start + length > base.size:
                    raise damaged("a delta copies what is not there")
                piece = self._piece(base.start + start, length)
            else:
                piece = delta[position : position + command]
                position += command
                if not command or len(piece) < command:
                    raise damaged("a delta is cut off")
            held += piece
            if len(held) >= _PIECE:
                self._bounds.check_time()
                yield bytes(held)
                held.clear()
        yield bytes(held)

    def _piece(self, start: int, length: int) -> bytes:
        self._file.seek(start)
        return self._file.read(length)

    def _reserve(self, size: int) -> None:
        self._end += size
        if self._end > self._bounds.max_bytes:
            raise LimitExceededError(
                f"the files of the repository are over {self._bounds.max_bytes} bytes; {_WAY_OUT}",
                field="source.uri",
            )


def unpack(pack: BinaryIO, file: BinaryIO, bounds: Bounds) -> GitObjects:
    """Return the objects of a pack, whose content is in `file` from now on.

    `UnsupportedSourceError` for what is no pack, `LimitExceededError` for one that is too large.
    """
    pack.seek(0)
    header = pack.read(_HEADER.size)
    if len(header) < _HEADER.size or not header.startswith(b"PACK"):
        raise damaged("it is no pack")
    _, version, count = _HEADER.unpack(header)
    if version not in {2, 3}:
        raise damaged("its version is not known")
    if count > bounds.max_objects:
        raise LimitExceededError(
            f"the commit has over {bounds.max_objects} objects; {_WAY_OUT}", field="source.uri"
        )
    return _Unpacking(pack, GitObjects(file, bounds), bounds).run(count)


class _Unpacking:
    """Reads a pack once; deltas whose base comes after them wait for it."""

    def __init__(self, pack: BinaryIO, objects: GitObjects, bounds: Bounds) -> None:
        self._reader = _Reader(pack)
        self._objects = objects
        self._bounds = bounds
        self._at: dict[int, Place] = {}
        self._waiting: dict[int | bytes, list[int]] = {}

    def run(self, count: int) -> GitObjects:
        for _ in range(count):
            self._next(self._reader.position)
        # Each round adds what the round before made possible, until one adds nothing.
        while ready := [base for base in self._waiting if self._find(base)]:
            for base in ready:
                for position in self._waiting.pop(base):
                    self._reader.go_to(position)
                    self._next(position)
        return self._objects

    def _next(self, position: int) -> None:
        kind, size = self._reader.object_header()
        if kind in _KINDS:
            self._at[position] = self._objects.add(_KINDS[kind], size, self._reader.inflate(size))
            return
        if kind == _OFFSET_DELTA:
            wanted: int | bytes = position - self._reader.offset()
        elif kind == _ID_DELTA:
            wanted = self._reader.take(_ID_BYTES)
        else:
            raise damaged("an object is of no known kind")
        if size > _MOST_DELTA_BYTES:
            raise LimitExceededError(
                f"the repository has a delta of over {_MOST_DELTA_BYTES} bytes", field="source.uri"
            )
        base = self._find(wanted)
        if base is None:
            self._waiting.setdefault(wanted, []).append(position)
            for _ in self._reader.inflate(size):
                self._bounds.check_time()
            return
        delta = b"".join(self._reader.inflate(size))
        self._at[position] = self._objects.add_delta(base, delta)

    def _find(self, base: int | bytes) -> Place | None:
        return self._at.get(base) if isinstance(base, int) else self._objects.find(base)


class _Reader:
    """The bytes of a pack, in order."""

    def __init__(self, pack: BinaryIO) -> None:
        self._pack = pack
        self._buffer = b""
        self.position = pack.tell()

    def go_to(self, position: int) -> None:
        self._pack.seek(position)
        self._buffer = b""
        self.position = position

    def take(self, size: int) -> bytes:
        if len(self._buffer) < size:
            self._buffer += self._pack.read(_PIECE)
        taken, self._buffer = self._buffer[:size], self._buffer[size:]
        if len(taken) < size:
            raise damaged("it is cut off")
        self.position += size
        return taken

    def object_header(self) -> tuple[int, int]:
        """Return kind and size of the next object."""
        byte = self.take(1)[0]
        kind, size, shift = byte >> 4 & 7, byte & 15, 4
        while byte & 0x80:
            byte = self.take(1)[0]
            size |= (byte & 0x7F) << shift
            shift += 7
            if shift > 7 * _LONGEST_NUMBER:
                raise damaged("a number is too long")
        return kind, size

    def offset(self) -> int:
        """Return how far before a delta its base is."""
        byte = self.take(1)[0]
        offset = byte & 0x7F
        for _ in range(_LONGEST_NUMBER):
            if not byte & 0x80:
                return offset
            byte = self.take(1)[0]
            offset = ((offset + 1) << 7) | (byte & 0x7F)
        raise damaged("a number is too long")

    def inflate(self, size: int) -> Iterator[bytes]:
        """Yield a stream of a stated size; what is more is damaged."""
        inflater, left = zlib.decompressobj(), size
        while not inflater.eof:
            packed = self._buffer or self._pack.read(_PIECE)
            if not packed:
                raise damaged("it is cut off")
            try:
                piece = inflater.decompress(packed, min(left + 1, _PIECE))
            except zlib.error:
                raise damaged("it cannot be decompressed") from None
            self._buffer = inflater.unconsumed_tail or inflater.unused_data
            self.position += len(packed) - len(self._buffer)
            left -= len(piece)
            if left < 0:
                raise damaged("an object is larger than it states")
            if piece:
                yield piece
        if left:
            raise damaged("an object is smaller than it states")


def _number(delta: bytes, position: int) -> tuple[int, int]:
    value = shift = 0
    for at in range(position, min(position + _LONGEST_NUMBER, len(delta))):
        value |= (delta[at] & 0x7F) << shift
        shift += 7
        if not delta[at] & 0x80:
            return value, at + 1
    raise damaged("a delta is cut off")


def _copy(delta: bytes, command: int, position: int) -> tuple[int, int, int]:
    """Return what a copy takes: from where, how much; and where the next command is."""
    values = [0] * 7
    for bit in range(7):
        if command & 1 << bit:
            if position >= len(delta):
                raise damaged("a delta is cut off")
            values[bit] = delta[position]
            position += 1
    start = int.from_bytes(bytes(values[:4]), "little")
    length = int.from_bytes(bytes(values[4:]), "little") or _LONGEST_COPY
    return start, length, position


def damaged(problem: str) -> UnsupportedSourceError:
    """Return the error about a pack that nobody can use."""
    return UnsupportedSourceError(
        f"what the source's git host sends is damaged: {problem}", field="source.uri"
    )
