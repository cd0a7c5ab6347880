"""The one folder with all the state of the embedded platform."""

from __future__ import annotations

import json
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

from lambda_embedded.lock_holder import acquire, is_held, pid_of_holder
from lambda_embedded.private_files import PRIVATE_FILE, write_private

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

_PRIVATE_FOLDER = 0o700


class DataFolderError(Exception):
    """The data folder cannot be used; the message says why, and what to do."""


class DataFolderInUseError(DataFolderError):
    """Another platform runs on this data folder."""


class ForeignDataFolderError(DataFolderError):
    """Something in the data folder belongs to another user, who may have put it there."""


class DataFolder:
    """Paths by name; `create` makes the folders, readable by their owner alone."""

    def __init__(self, root: Path) -> None:
        self.root = root.expanduser().absolute()
        self.database = self.root / "state.sqlite"
        self.kubeconfig = self.root / "kubeconfig"
        self.token = self.root / "token"
        self.certificate = self.root / "api.pem"
        self.platform_file = self.root / "platform.json"
        self.ports_file = self.root / "ports.json"
        self.lock_file = self.root / "lock"
        self.storage = self.root / "storage"
        self.registry = self.root / "registry"
        self.images = self.root / "images"
        self.runtimes = self.root / "runtimes"
        self.pods = self.root / "pods"
        self.builds = self.root / "builds"
        self.cache = self.root / "cache"
        # Made by `kn-lambda run`, if ever.
        self.run = self.root / "run"
        self.files = (
            self.database, self.kubeconfig, self.token, self.certificate, self.platform_file,
            self.ports_file, self.lock_file,
        )  # fmt: skip
        """Some exist only while a platform runs, or since it first ran."""
        self.folders = (
            self.storage, self.registry, self.images, self.runtimes, self.pods, self.builds,
            self.cache,
        )  # fmt: skip
        """All exist after `create`."""

    def create(self) -> None:
        """Create missing folders, and make private what an earlier version left open.

        `DataFolderError` if the folder cannot be made or used.
        """
        try:
            self._create()
        except OSError as error:
            raise DataFolderError(
                f"cannot use {self.root} ({error.strerror}: {error.filename}): "
                "name a folder of your own with --home"
            ) from error

    def _create(self) -> None:
        self.root.mkdir(mode=_PRIVATE_FOLDER, parents=True, exist_ok=True)
        self._require_own()
        # An older folder, or one made under another umask, may hold secrets as well.
        self.root.chmod(_PRIVATE_FOLDER)
        for folder in self.folders:
            folder.mkdir(mode=_PRIVATE_FOLDER, exist_ok=True)
            folder.chmod(_PRIVATE_FOLDER)
        for log in self.pods.glob("*/*/*.log*"):
            if not log.is_symlink():
                log.chmod(PRIVATE_FILE)

    def _require_own(self) -> None:
        """Reject what another user may have prepared, such as a token that they know."""
        for place in self._places():
            if place.lstat().st_uid != os.geteuid():
                raise ForeignDataFolderError(
                    f"{place} belongs to another user: name a folder of your own with --home"
                )

    def _places(self) -> Iterator[Path]:
        # In this order: the content of another user's folder need not be read.
        yield self.root
        yield from self.root.iterdir()

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Lock the folder for this process; `DataFolderInUseError` names the pid that holds it.

        The kernel lets go of the lock when the process ends, however it ends.
        """
        descriptor = os.open(self.lock_file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, PRIVATE_FILE)
        try:
            if not acquire(descriptor):
                owner = os.read(descriptor, 20).decode().strip() or "unknown"
                raise DataFolderInUseError(f"a platform (pid {owner}) already runs on {self.root}")
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, str(os.getpid()).encode(), 0)
            yield
        finally:
            os.close(descriptor)

    def is_locked(self) -> bool:
        """Whether a platform runs on this folder, starts or stops; changes nothing."""
        return is_held(self.lock_file)

    def owner(self) -> int | None:
        """Return the pid of the platform that holds the lock, as the kernel confirms it.

        None if no platform runs, or where the kernel does not say which process it is.
        """
        return pid_of_holder(self.lock_file)

    def publish(self, facts: Mapping[str, object]) -> None:
        """Publish where the running platform is; other programs see all of `facts` or none."""
        write_private(self.platform_file, json.dumps(facts, indent=2) + "\n")

    def withdraw(self) -> None:
        """Remove what `publish` wrote."""
        self.platform_file.unlink(missing_ok=True)

    def remembered_ports(self) -> dict[str, int]:
        """Ports by server that were free last time; empty where nothing is known."""
        try:
            ports = json.loads(self.ports_file.read_text())
        except (OSError, ValueError):
            return {}
        if not isinstance(ports, dict):
            return {}
        return {name: port for name, port in ports.items() if isinstance(port, int)}

    def remember_ports(self, ports: Mapping[str, int]) -> None:
        """Remember the ports for the next start, so that URLs stay the same."""
        write_private(self.ports_file, json.dumps(dict(ports)) + "\n")
