"""`python -m images.deploy [function...]`: deploys functions one by one with the `func` CLI.

func changes the func.yaml that it deploys, so it gets a copy. It builds and pushes nothing: the
image is named by the digest in dist/images.json.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from images.func_secrets import ensure_secrets, secrets_of

CHECKOUT = Path(__file__).resolve().parents[1]
NAMESPACE = "knative-lambda"
_NO_FUNC = (
    "func is not on PATH: install Knative's func CLI 1.23 (its binary, or `kn func`), or name one"
    " with FUNC=/path/to/func. Without it, `kubectl apply -k` of an overlay deploys the same"
    " functions; see docs/decisions/0008"
)


def deploy(function: str, image: str, func: str) -> int:
    """Exit status of `func deploy` for one function."""
    if "@sha256:" not in image:
        raise SystemExit(f"{function}: {image} has no digest")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / function
        shutil.copytree(CHECKOUT / "functions" / function, path)
        arguments = ["--path", str(path), "--image", image, "--namespace", NAMESPACE]
        return subprocess.run(
            [func, "deploy", *arguments, "--build=false", "--push=false"], check=False
        ).returncode


def _secrets(functions: list[str]) -> set[str]:
    files = [CHECKOUT / "functions" / function / "func.yaml" for function in functions]
    return {name for file in files for name in secrets_of(file.read_text())}


def main() -> int:
    """Deploy the functions of the command line, or all; stop at the first failure."""
    parser = argparse.ArgumentParser(prog="python -m images.deploy", description=__doc__)
    parser.add_argument("--images", type=Path, default=CHECKOUT / "dist/images.json")
    parser.add_argument("--func", default="func", help="the func CLI")
    parser.add_argument("functions", nargs="*", help="all when none is named")
    options = parser.parse_args()
    known = sorted(file.parent.name for file in (CHECKOUT / "functions").glob("*/func.yaml"))
    if unknown := set(options.functions) - set(known):
        parser.error(f"no function {', '.join(sorted(unknown))}; there are {', '.join(known)}")
    if (func := shutil.which(options.func)) is None:
        raise SystemExit(_NO_FUNC)
    if not options.images.is_file():
        raise SystemExit(f"{options.images} is missing: run `make images REGISTRY=...` first")
    images = json.loads(options.images.read_text())
    functions = options.functions or known
    if missing := [name for name in functions if name not in images]:
        raise SystemExit(
            f"{options.images} has no image of {', '.join(missing)}: run `make images REGISTRY=...`"
        )
    for secret in ensure_secrets(_secrets(functions), NAMESPACE):
        sys.stderr.write(f"deploy: created the empty Secret {NAMESPACE}/{secret}\n")
    for function in functions:
        sys.stderr.write(f"deploy: {function} {images[function]}\n")
        if status := deploy(function, images[function], func):
            return status
    return 0


if __name__ == "__main__":
    sys.exit(main())
