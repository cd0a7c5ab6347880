"""`kn-lambda run` as a process of its own, as a person starts it."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.helpers.http_client import Answer, post_event
from tests.helpers.waiting import wait_for

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass
class RunProcess:
    """One run; what it wrote is in two files."""

    home: Path
    folder: Path
    scratch: Path
    variables: Mapping[str, str]

    def start(self, *options: str) -> RunProcess:
        with self._file("out").open("wb") as out, self._file("err").open("wb") as err:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "kn_lambda", "--home", str(self.home), "run",
                 str(self.folder), "--port", "0", *options],
                stdout=out,
                stderr=err,
                stdin=subprocess.DEVNULL,
                env={**os.environ, **self.variables},  # noqa: TID251  # as a person's shell
            )  # fmt: skip
        return self

    def ready(self) -> RunProcess:
        self.shows("Ctrl-C stops it.")
        return self

    @property
    def url(self) -> str:
        return next(line.strip() for line in self.err.splitlines() if line.startswith("  http://"))

    @property
    def curl(self) -> list[str]:
        """The command line that it printed."""
        return shlex.split(next(line for line in self.err.splitlines() if "  curl " in line))

    @property
    def out(self) -> str:
        return self._file("out").read_text()

    @property
    def err(self) -> str:
        return self._file("err").read_text()

    def shows(self, text: str, times: int = 1) -> None:
        """Wait for a text on stderr, or fail with all of it once the process has ended."""

        def look() -> bool:
            ended = self.process.poll() is not None
            found = self.err.count(text) >= times
            assert found or not ended, self.err + self.out
            return found

        wait_for(look)

    def save(self, files: Mapping[str, str]) -> None:
        for name, content in files.items():
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            part = path.with_name(f"{path.name}~")
            part.write_text(content)
            part.replace(path)

    def saved(self, files: Mapping[str, str]) -> None:
        """Save, and wait until that is served."""
        before = self.err.count("reloaded")
        self.save(files)
        self.shows("reloaded", before + 1)

    def serves(self, code: str) -> None:
        """Save a function that differs from every one before it, and wait until it is served."""
        self.saved({"main.py": f"{code}# {uuid.uuid4()}\n"})

    def call(self, data: object = None) -> Answer:
        return post_event(self.url, data, type="com.example.tested")

    def answer(self, data: object = None) -> Any:
        answer = self.call(data)
        assert answer.status == 200, answer.body
        return json.loads(answer.body)

    def processes(self) -> list[int]:
        """All processes that belong to this function, but not `kn-lambda` itself."""
        marker = f"KN_LAMBDA_EMBEDDED={self.home}/run{self.folder.resolve()}/.function".encode()
        found = []
        for environ in Path("/proc").glob("[0-9]*/environ"):
            try:
                if marker in environ.read_bytes().split(b"\0"):
                    found.append(int(environ.parent.name))
            except OSError:
                continue
        return found

    def end(self, number: int = signal.SIGINT) -> int:
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.process.wait(60)

    def _file(self, name: str) -> Path:
        return self.scratch / name
