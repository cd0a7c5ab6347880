"""Runs an unpacked image as a cluster would: read-only root, numeric user, one writable folder."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.helpers.child_processes import children_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# What a container runtime mounts; tmpfs where a volume would be; then the root itself read-only.
START = """
set -e
root=$1 user=$2
shift 2
mount --bind "$root" "$root"
mount -t tmpfs -o mode=755 dev "$root/dev"
mkdir -m 1777 "$root/dev/shm"
for device in null zero urandom; do
    touch "$root/dev/$device"
    mount --bind "/dev/$device" "$root/dev/$device"
done
mount -t proc proc "$root/proc"
while [ "$1" != -- ]; do
    mount -t tmpfs -o mode=1777 volume "$root/$1"
    shift
done
shift
mount -o remount,bind,ro "$root"
exec /usr/sbin/chroot --userspec="$user" --groups= "$root" "$@"
"""


@dataclass(frozen=True)
class Unpacked:
    """An image that skopeo pulled and umoci unpacked."""

    root: Path
    config: dict

    @property
    def environment(self) -> dict[str, str]:
        return dict(entry.split("=", 1) for entry in self.config["Env"])

    def command(self, *arguments: str, writable: tuple[str, ...] = ()) -> list[str]:
        """Arguments of a process in new namespaces that runs them in the image."""
        start = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-c", START, "sh"]
        return [*start, str(self.root), self.config["User"], *writable, "--", *arguments]

    def run(self, *arguments: str, writable: tuple[str, ...] = (), **environment: str) -> str:
        """What a command in the image prints."""
        return subprocess.run(
            self.command(*arguments, writable=writable),
            env=self.environment | environment,
            stdout=subprocess.PIPE,
            text=True,
            check=True,
            timeout=60,
        ).stdout

    @contextmanager
    def serving(self, port: int, log: Path, **environment: str) -> Iterator[float]:
        """The image's entrypoint; seconds until it answered its readiness probe."""
        started = time.monotonic()
        with log.open("wb") as output:
            process = subprocess.Popen(
                self.command(*self.config["Entrypoint"]),
                env=self.environment | environment | {"PORT": str(port)},
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        try:
            _wait_until_ready(port, process, log)
            yield time.monotonic() - started
        finally:
            # With the first process of the container all others end. The tie that --kill-child
            # makes ends when that process becomes another user.
            for child in children_of(process.pid):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(child, signal.SIGKILL)
            process.kill()
            process.wait()


def _wait_until_ready(port: int, process: subprocess.Popen, log: Path) -> None:
    deadline = time.monotonic() + 60
    while True:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/health/readiness", timeout=5).close()
        except OSError:
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.005)
        else:
            return


def unpack(skopeo: str, umoci: str, reference: str, folder: Path) -> Unpacked:
    """Pull by digest from a registry that speaks http."""
    layout = f"oci:{folder}/layout:image"
    pull = [skopeo, "copy", "--quiet", "--src-tls-verify=false", f"docker://{reference}", layout]
    subprocess.run(pull, check=True)
    unpacking = [umoci, "--log=error", "unpack", "--image", f"{folder}/layout:image"]
    subprocess.run([*unpacking, str(folder / "bundle")], check=True)
    show = [skopeo, "inspect", "--config", "--raw", layout]
    config = json.loads(subprocess.run(show, stdout=subprocess.PIPE, check=True).stdout)
    return Unpacked(folder / "bundle/rootfs", config["config"])
