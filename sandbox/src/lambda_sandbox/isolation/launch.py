"""What to launch, and the interface of every isolation."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_SIGNAL_BASE = 128
_LAST_SIGNAL = 64


@dataclass(frozen=True, kw_only=True, slots=True)
class Program:
    """What to run; the first argument is the path of the program."""

    arguments: Sequence[str]
    environment: Mapping[str, str]
    working_directory: Path


@dataclass(frozen=True, kw_only=True, slots=True)
class View:
    """Places that a program needs although the folders around them may be hidden from it.

    A place is ignored if it does not exist, is a hidden folder, or contains one.
    """

    readable: tuple[Path, ...] = ()
    writable: tuple[Path, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Launch:
    """The process to start for a program; it inherits `descriptors`."""

    arguments: Sequence[str]
    environment: Mapping[str, str]
    descriptors: tuple[int, ...] = ()

    def close(self) -> None:
        """Close the descriptors here; the started process has its own."""
        for descriptor in self.descriptors:
            os.close(descriptor)


class Isolation(Protocol):
    """Starts each program below a wrapper process, by whose id the methods know it.

    The wrapper process ends with the program, or with this process, and not before everything that
    the program started has ended.
    """

    def launch(self, program: Program, view: View) -> Launch:
        """Return what to start."""
        ...

    def terminate(self, pid: int) -> None:
        """Send SIGTERM to the program."""
        ...

    def kill(self, pid: int) -> None:
        """Kill the program and all that it started."""
        ...

    def clean_up(self, pid: int) -> None:
        """Kill what may be left; called as soon as the wrapper process has ended."""
        ...

    def status(self, returncode: int) -> int:
        """Return the program's exit status, or minus the signal that ended it."""
        ...


def message(content: bytes) -> int:
    """Return a descriptor that passes content to a child process and to nobody else."""
    descriptor = os.memfd_create("message")
    os.write(descriptor, content)
    os.lseek(descriptor, 0, os.SEEK_SET)
    return descriptor


def message_read_once(content: bytes) -> int:
    """Return a descriptor like that of `message`, of which nothing is left once it was read."""
    import fcntl  # noqa: PLC0415 # commands for a cluster import this module on other systems too

    reader, writer = os.pipe()
    try:
        if len(content) > fcntl.fcntl(writer, fcntl.F_GETPIPE_SZ):
            fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, len(content))
        os.write(writer, content)
    except OSError:
        os.close(reader)
        raise
    finally:
        os.close(writer)
    return reader


def as_of_a_shell(returncode: int) -> int:
    """Return the status behind a shell's, in which a signal counts as 128 + its number."""
    is_signal = _SIGNAL_BASE < returncode <= _SIGNAL_BASE + _LAST_SIGNAL
    return _SIGNAL_BASE - returncode if is_signal else returncode


def children_of(pid: int) -> list[int]:
    """Return the children of a process, oldest first; none if it has ended."""
    found = []
    # The process, and each of its threads, may end meanwhile.
    with suppress(OSError):
        for thread in Path(f"/proc/{pid}/task").iterdir():
            with suppress(OSError):
                found += [int(child) for child in (thread / "children").read_text().split()]
    return found
