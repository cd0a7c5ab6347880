"""Base images of the embedded platform: a runtime's server and no operating system.

`python -m lambda_builder.base_image --runtime NAME --runtimes-dir runtimes
--repository-url file:///folder/repository` prints the image's URL with its digest. On a cluster
the base image comes from the runtime's Dockerfile; here the interpreter is the machine's own.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from pathlib import Path

from lambda_builder.compilation import compile_folder
from lambda_builder.errors import BuildError, PlatformError, build_error
from lambda_builder.runtime import RUNTIME_LABEL, Runtime, find_runtime
from lambda_oci.errors import OciError
from lambda_oci.image import encode_image
from lambda_oci.layer import Layer, write_layer
from lambda_oci.platforms import architecture
from lambda_oci.references import parse_repository
from lambda_oci.repositories import open_repository

_COMPILE_SECONDS = 120.0
# Nobody of this number exists on any machine: Kubernetes' runAsNonRoot wants a number.
_USER = "65532:65532"


def build_base_image(
    runtime_name: str, runtimes_dir: Path, repository_url: str, *, docker_config: Path | None = None
) -> str:
    """Store the runtime's base image; its URL by digest. The same files give the same digest."""
    runtime = find_runtime(runtime_name, runtimes_dir)
    repository = open_repository(parse_repository(repository_url), docker_config)
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        layer = _server_layer(runtime, scratch)
        image = encode_image(_config(runtime, layer), (layer.descriptor,), {})
        (scratch / "config").write_bytes(image.config)
        blobs = {layer.descriptor: layer.file, image.config_descriptor: scratch / "config"}
        with repository.writing():
            for blob, content in blobs.items():
                if not repository.contains(blob):
                    repository.add_blob(blob, content)
            manifest = repository.add_manifest(image.manifest, runtime.name)
    return f"{repository_url}@{manifest.digest}"


def _server_layer(runtime: Runtime, scratch: Path) -> Layer:
    language = runtime.language
    if not language.server.is_dir():
        raise PlatformError("InvalidRuntime", f"{language.name} has no folder for its server")
    server = scratch / "runtime"
    shutil.copytree(
        language.server, server, ignore=shutil.ignore_patterns(*language.compiled, ".*")
    )
    compile_folder(server, runtime, installed_at="/runtime", timeout_seconds=_COMPILE_SECONDS)
    return write_layer([("runtime", server)], scratch / "layer")


def _config(runtime: Runtime, layer: Layer) -> dict[str, object]:
    environment = {
        "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "PORT": "8080",
        "FUNCTION_ROOT": "/function",
        "FUNCTION_HANDLER": runtime.language.default_handler,
        **runtime.language.environment,
    }
    return {
        "architecture": architecture(),
        "os": "linux",
        "config": {
            "Entrypoint": list(runtime.language.entrypoint),
            "Env": [f"{name}={value}" for name, value in environment.items()],
            "Labels": {RUNTIME_LABEL: runtime.name},
            "User": _USER,
            "WorkingDir": "/function/source",
        },
        "rootfs": {"type": "layers", "diff_ids": [layer.diff_id]},
    }


def main(arguments: list[str] | None = None) -> int:
    """Build as the command line says; the exit code of a build's contract."""
    parser = argparse.ArgumentParser(description="Build a base image of the embedded platform.")
    parser.add_argument("--runtime", required=True, help="language and version in one word")
    parser.add_argument("--runtimes-dir", required=True, type=Path)
    parser.add_argument("--repository-url", required=True, help="file:///folder/repository")
    options = parser.parse_args(arguments)
    try:
        url = build_base_image(options.runtime, options.runtimes_dir, options.repository_url)
    except (BuildError, OciError) as raised:
        error = raised if isinstance(raised, BuildError) else build_error(raised)
        print(f"{error.reason}: {error.message}", file=sys.stderr)  # noqa: T201 - the output of a command line
        return error.exit_code
    print(url)  # noqa: T201 - the output of a command line
    return 0


if __name__ == "__main__":
    sys.exit(main())
