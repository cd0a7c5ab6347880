"""What the kernel accounts to processes: memory, shared pages divided, and processor time."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_KIB = 1024
_SECONDS_PER_TICK = 1 / os.sysconf("SC_CLK_TCK")
# Fields of /proc/<pid>/stat behind the name: user, system, and both of children that have ended.
_TIMES = slice(11, 15)


def pss_mib(pid: int, *, with_children: bool = True) -> float:
    """Proportional set size of a process, and of all that it started."""
    return sum(pss_of(each) for each in (tree(pid) if with_children else [pid]))


def pss_of(pid: int) -> float:
    """Proportional set size of one process, MiB."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) / _KIB
    return 0.0


def processor_milliseconds(pid: int) -> float:
    """Processor time of all threads of a process so far; waiting is not in it."""
    threads = Path(f"/proc/{pid}/task").iterdir()
    return sum(int((each / "schedstat").read_text().split()[0]) for each in threads) / 1e6


def processor_seconds(pid: int) -> float:
    """Processor time of a process and of its children that have ended, in ticks of 10 ms."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[_TIMES])) * _SECONDS_PER_TICK


def processes_with(variable: str) -> list[int]:
    """Processes that have `NAME=value` in their environment."""
    wanted = variable.encode()
    return [pid for pid, variables in _environments() if wanted in variables]


def variable_of(pid: int, name: str) -> str:
    """One variable of a process's environment."""
    for variable in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0"):
        key, _, value = variable.partition(b"=")
        if key.decode() == name:
            return value.decode()
    raise LookupError(name)


def parent_of(pid: int) -> int:
    """The parent of a process."""
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def tree(pid: int) -> Iterator[int]:
    """A process and all that it started."""
    yield pid
    for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
        yield from tree(int(child))


def _environments() -> Iterator[tuple[int, list[bytes]]]:
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            yield int(folder.name), (folder / "environ").read_bytes().split(b"\0")
        except OSError:
            continue
