"""Images built from their Dockerfiles by docker, podman or buildah."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from images.catalog import Image

ENGINES = ("docker", "podman", "buildah")
_SECONDS = 20


def find_engine() -> str | None:
    """The first engine that is installed and works; a client without its daemon does not."""
    for engine in ENGINES:
        if shutil.which(engine) is None:
            continue
        try:
            ended = subprocess.run(
                [engine, "info"], capture_output=True, timeout=_SECONDS, check=False
            )
        except subprocess.TimeoutExpired:
            continue
        if ended.returncode == 0:
            return engine
    return None


@dataclass(frozen=True, kw_only=True, slots=True)
class Containers:
    """Builds and pushes images by one of `ENGINES`."""

    engine: str
    checkout: Path
    registry_url: str
    digests: Mapping[str, str]
    """PYTHON or NODE -> digest of the interpreter's image; resolved from its tag if absent."""

    def __call__(self, image: Image) -> tuple[str, int]:
        """Digest of the image, which is in the registry now, tagged `latest`; no size."""
        scheme, _, place = self.registry_url.partition("://")
        reference = f"{place}/{image.name}:latest"
        build = "build" if self.engine != "buildah" else "bud"
        arguments = [
            f"--build-arg={name}={value}" for name, value in self._arguments(image).items()
        ]
        dockerfile = ["-f", str(self.checkout / image.dockerfile)]
        self._run(build, *dockerfile, *arguments, "-t", reference, str(self.checkout))
        return self._push(reference, insecure=scheme == "http"), 0

    def _arguments(self, image: Image) -> dict[str, str]:
        arguments = dict(image.arguments)
        for runtime in image.runtimes:
            if (images := runtime.language.images) is not None:
                official = images.official
                tag = f"{official.repository}:{runtime.version}-slim"
                digest = self.digests.get(official.argument) or self._resolve(tag)
                arguments[f"{official.argument}_DIGEST"] = digest
        return arguments

    def _resolve(self, reference: str) -> str:
        """The digest that the tag stands for now."""
        self._run("pull", reference)
        inspect = (
            ["inspect", "--type", "image"] if self.engine == "buildah" else ["image", "inspect"]
        )
        document = self._run(*inspect, reference, capture=True)
        if (found := re.search(r"@?(sha256:[0-9a-f]{64})", _repository_digests(document))) is None:
            raise SystemExit(f"{self.engine} does not report the digest of {reference}")
        return found[1]

    def _push(self, reference: str, *, insecure: bool) -> str:
        if self.engine == "docker":
            # Only docker's own settings say which registries may be used over http.
            output = self._run("push", reference, capture=True)
            if (found := re.search(r"digest: (sha256:[0-9a-f]{64})", output)) is None:
                raise SystemExit(f"docker does not report the digest of {reference}")
            return found[1]
        with tempfile.NamedTemporaryFile() as digest:
            verify = ["--tls-verify=false"] if insecure else []
            self._run("push", *verify, "--digestfile", digest.name, reference)
            return Path(digest.name).read_text().strip()

    def _run(self, *arguments: str, capture: bool = False) -> str:
        # The engine's output goes to stderr: stdout is the result of this program.
        stdout = subprocess.PIPE if capture else sys.stderr
        ended = subprocess.run([self.engine, *arguments], stdout=stdout, text=True, check=False)
        if ended.returncode:
            raise SystemExit(f"{self.engine} {arguments[0]} ended with {ended.returncode}")
        return ended.stdout or ""


def _repository_digests(document: str) -> str:
    """Of docker's and podman's description of an image, or buildah's."""
    content = json.loads(document)
    described = content[0] if isinstance(content, list) else content
    return json.dumps(described.get("RepoDigests") or described.get("FromImageDigest") or "")
