"""`python -m images --registry host:port/prefix`: make all images, push them, print their digests.

The result is one JSON object on stdout, image -> `host:port/prefix/name@sha256:...`;
progress is on stderr. `make images` keeps the result in dist/images.json.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from images.assembly import Assembly
from images.catalog import Versions, all_images
from images.containers import ENGINES, Containers, find_engine
from images.debian import Debian
from images.layers import LayerCache
from images.operating_system import OperatingSystem
from images.references import registry_url
from lambda_builder.errors import build_error
from lambda_oci.errors import OciError

if TYPE_CHECKING:
    from collections.abc import Callable

    from images.catalog import Image

CHECKOUT = Path(__file__).resolve().parents[1]
_MEGABYTE = 1_000_000


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m images", description=__doc__)
    parser.add_argument("--registry", required=True, help="host[:port]/prefix, or with http(s)://")
    parser.add_argument("--engine", choices=["auto", "layers", *ENGINES], default="auto")
    parser.add_argument("--cache", type=Path, required=True, help="folder for what is made once")
    parser.add_argument(
        "--docker-config", type=Path, help="folder of a config.json with credentials"
    )
    parser.add_argument("--python", default=Versions().python, help="version in our own images")
    parser.add_argument("--node", default=Versions().node, help="version in the builder")
    parser.add_argument("--python-digest", default="", help="pins python:<version>-slim")
    parser.add_argument("--node-digest", default="", help="pins node:<version>-slim")
    parser.add_argument("--runtimes", default="python3.11 nodejs24", help="names, space between")
    parser.add_argument("--only", default="", help="names of images, space between")
    return parser.parse_args()


def _maker(options: argparse.Namespace) -> Callable[[Image], tuple[str, int]]:
    url = registry_url(options.registry)
    engine = options.engine
    if engine == "auto":
        engine = find_engine() or "layers"
    _say(f"with {engine}")
    if engine != "layers":
        digests = {"PYTHON": options.python_digest, "NODE": options.node_digest}
        return Containers(engine=engine, checkout=CHECKOUT, registry_url=url, digests=digests)
    return Assembly(
        checkout=CHECKOUT,
        system=OperatingSystem(Debian(options.cache / "debian")),
        cache=LayerCache(options.cache / "layers"),
        registry_url=url,
        docker_config=options.docker_config,
    )


def main() -> int:
    """Make the images of the command line; 1 and the reason on stderr if that fails."""
    options = _parse()
    versions = Versions(python=options.python, node=options.node)
    images = all_images(CHECKOUT, versions, options.runtimes.split())
    wanted = set(options.only.split()) or {image.name for image in images}
    if unknown := wanted - {image.name for image in images}:
        raise SystemExit(f"there is no image {', '.join(sorted(unknown))}")
    make, place = _maker(options), registry_url(options.registry).partition("://")[2]
    references = {}
    for image in images:
        if image.name in wanted:
            started = time.monotonic()
            try:
                digest, size = make(image)
            except OciError as error:
                _say(f"{image.name}: {build_error(error).message}")
                return 1
            references[image.name] = f"{place}/{image.name}@{digest}"
            shown = f", {size / _MEGABYTE:.1f} MB" if size else ""
            _say(f"{image.name} {digest}{shown}, {time.monotonic() - started:.1f} s")
    sys.stdout.write(json.dumps(references, indent=2) + "\n")
    return 0


def _say(text: str) -> None:
    sys.stderr.write(f"images: {text}\n")


if __name__ == "__main__":
    sys.exit(main())
