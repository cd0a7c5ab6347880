"""What a holder is told and what it promises."""

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
    """What to run; the first argument is the program's path."""

    arguments: Sequence[str]
    environment: Mapping[str, str]
    working_directory: Path


@dataclass(frozen=True, kw_only=True, slots=True)
class View:
    """Places that a program needs although the folders around them may be hidden from it.

    One that is not there, or that is a hidden folder itself or around one, is passed over.
    """

    readable: tuple[Path, ...] = ()
    writable: tuple[Path, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Launch:
    """The process to start for a program; `descriptors` are for it to inherit."""

    arguments: Sequence[str]
    environment: Mapping[str, str]
    descriptors: tuple[int, ...] = ()

    def close(self) -> None:
        """Close the descriptors here; the started process has its own."""
        for descriptor in self.descriptors:
            os.close(descriptor)


class Holder(Protocol):
    """Starts a program below a process of its own, the holding one, whose id the others take.

    The holding process ends with the program, or with this process, and then all has ended that
    the program started.
    """

    def launch(self, program: Program, view: View) -> Launch:
        """Return what to start."""
        ...

    def terminate(self, pid: int) -> None:
        """Send SIGTERM to the program."""
        ...

    def kill(self, pid: int) -> None:
        """End the program and all that it started."""
        ...

    def clean_up(self, pid: int) -> None:
        """End what may be left; called as soon as the holding process has ended."""
        ...

    def status(self, returncode: int) -> int:
        """Return the program's exit status, or minus the signal that ended it."""
        ...


def message(content: bytes) -> int:
    """Return a descriptor from which a started process reads what nobody else may see."""
    descriptor = os.memfd_create("message")
    os.write(descriptor, content)
    os.lseek(descriptor, 0, os.SEEK_SET)
    return descriptor


def as_of_a_shell(returncode: int) -> int:
    """Return the status behind one in which a signal counts as 128 + its number."""
    is_signal = _SIGNAL_BASE < returncode <= _SIGNAL_BASE + _LAST_SIGNAL
    return _SIGNAL_BASE - returncode if is_signal else returncode


def children_of(pid: int) -> list[int]:
    """Return the processes whose parent a process is, oldest first; none where it is gone."""
    found = []
    # The process, and each of its threads, may end while we look.
    with suppress(OSError):
        for thread in Path(f"/proc/{pid}/task").iterdir():
            with suppress(OSError):
                found += [int(child) for child in (thread / "children").read_text().split()]
    return found
