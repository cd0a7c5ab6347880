"""Runs the program of a Job, and looks at all its processes while they run."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tests.helpers.child_processes import children_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_LOOKS_EVERY_SECONDS = 0.005
_LONGEST_SECONDS = 150
# Root of a container is nobody who may look into all processes; a test may be run by one who is.
_WITHOUT_CAPABILITIES = """
import ctypes, os, sys
for capability in range(64):
    ctypes.CDLL(None).prctl(24, capability, 0, 0, 0)
os.execv(sys.argv[1], sys.argv[1:])
"""
# Variables of the step that downloads: a test shows that later steps have none of them.
_OF_THE_DOWNLOAD = (b"PACKAGE_INDEX_PASSWORD=", b"UV_INDEX_")


@dataclass(frozen=True)
class Watched:
    """What is left of a Job's program, and what others could see of it."""

    exit_code: int
    output: str
    errors: str
    message: dict[str, object]
    seen: list[str]
    """Command lines of all processes, and environments of those that are not the program itself."""
    left: list[int]
    """Processes that outlived it."""

    @property
    def reason(self) -> object:
        return self.message.get("reason")


def run_job(
    folder: Path,
    command: Sequence[str],
    variables: Mapping[str, str],
    secrets: Mapping[str, str],
) -> Watched:
    """Run a container's command where each of its places is a folder of its own."""
    places = {"BUILD_WORKSPACE": "workspace", "HOME": "home", "TMPDIR": "tmp"}
    for name in places.values():
        (folder / name).mkdir(exist_ok=True)
    termination = folder / "termination"
    termination.unlink(missing_ok=True)
    mark = f"ATTACKED_WORLD={folder}"
    environment = {
        "PATH": f"{Path(sys.executable).parent}:{os.defpath}:/usr/local/bin",
        **variables,
        **{name: str(folder / place) for name, place in places.items()},
        **secrets,
        "TERMINATION_MESSAGE_PATH": str(termination),
    }
    name, _, value = mark.partition("=")
    own = [sys.executable, *command[1:]]
    process = subprocess.Popen(
        [sys.executable, "-I", "-c", _WITHOUT_CAPABILITIES, *own],
        env={**environment, name: value},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=folder,
    )
    own_command = "".join(f"{word} " for word in own).encode()
    with _watching(process.pid, own_command) as watch:
        output, errors = process.communicate(timeout=_LONGEST_SECONDS)
    message = json.loads(termination.read_text() or "{}") if termination.exists() else {}
    left = [pid for pid in watch.known if pid != process.pid and is_alive(pid)]
    return Watched(process.returncode, output, errors, message, sorted(watch.seen), left)


class _Watch:
    """Remembers what the processes below another one show."""

    def __init__(self, root: int, own_command: bytes) -> None:
        self.root = root
        self.own_command = own_command
        self.known: set[int] = set()
        self.seen: set[str] = set()

    def look(self) -> None:
        for pid in self._tree():
            self.known.add(pid)
            with contextlib.suppress(OSError):
                command = self._remember("command line", pid, "cmdline")
                # Before it becomes another program, a child is a copy of the program itself, whose
                # memory it has: closed to all but root of the machine, which this test may be.
                if pid != self.root and command != self.own_command:
                    self._remember("environment", pid, "environ")

    def _remember(self, what: str, pid: int, name: str) -> bytes:
        content = Path(f"/proc/{pid}/{name}").read_bytes().replace(b"\0", b" ")
        if name != "environ" or not any(own in content for own in _OF_THE_DOWNLOAD):
            self.seen.add(f"{what}: {content.decode(errors='replace')}")
            return content
        # Recipe and installer have the password of the index, and no other.
        words = content.split(b" ")
        kept = [word for word in words if not word.startswith(_OF_THE_DOWNLOAD)]
        self.seen.add(f"{what} of the download: {b' '.join(kept)!r}")
        return content

    def _tree(self) -> Iterator[int]:
        pending = [self.root, *(pid for pid in self.known if is_alive(pid))]
        found: set[int] = set()
        while pending:
            pid = pending.pop()
            if pid in found:
                continue
            found.add(pid)
            pending += children_of(pid)
        yield from found


@contextlib.contextmanager
def _watching(pid: int, own_command: bytes) -> Iterator[_Watch]:
    watch, ended = _Watch(pid, own_command), threading.Event()

    def look_until_it_ends() -> None:
        while not ended.wait(_LOOKS_EVERY_SECONDS):
            watch.look()

    thread = threading.Thread(target=look_until_it_ends)
    thread.start()
    try:
        yield watch
    finally:
        ended.set()
        thread.join()


def is_alive(pid: int) -> bool:
    """Whether a process runs, or will."""
    with contextlib.suppress(OSError):
        return "State:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    return False
