"""`python -m images.release dist/images.json config/overlays/production [http]`: pin an overlay.

Writes the overlay's component `release`: our own images by digest, and what the functions are told
of builder and base images (http where that registry has no TLS).
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from images.component import component_of, function_names
from lambda_builder.runtime import read_languages

if TYPE_CHECKING:
    from collections.abc import Mapping

_CHECKOUT = Path(__file__).resolve().parents[1]
_COMMENT = "# Written by `python -m images.release` from what `make images` has made.\n"


class _Block(str):
    """Text that YAML shows line by line."""

    __slots__ = ()


class _Dumper(yaml.SafeDumper):
    """YAML for people to review."""


_Dumper.add_representer(
    _Block,
    lambda dumper, text: dumper.represent_scalar("tag:yaml.org,2002:str", str(text), style="|"),
)


def release_of(images: Mapping[str, str], *, scheme: str = "https") -> str:
    """The component for these images (name -> `host/repository@sha256:...`), as YAML.

    `SystemExit` names the functions, or the builder, that have no image.
    """
    functions = function_names(_CHECKOUT)
    if missing := {*functions, "builder"} - images.keys():
        raise SystemExit(f"no image of {', '.join(sorted(missing))}; run make images for all")
    references = {
        name: image if name in functions | {"builder"} else f"{scheme}://{image}"
        for name, image in images.items()
    }
    languages = read_languages(_CHECKOUT / "runtimes")
    component = component_of(
        references, functions, languages, encode=lambda patch: _Block(_yaml(patch))
    )
    return _COMMENT + _yaml(component)


def _yaml(document: object) -> str:
    return yaml.dump(document, Dumper=_Dumper, sort_keys=False, width=1000)


def main() -> None:
    """Read the list of images, write the component."""
    parser = argparse.ArgumentParser(prog="python -m images.release", description=__doc__)
    parser.add_argument("images", type=Path, help="what `make images` wrote")
    parser.add_argument("overlay", type=Path, help="the folder of the overlay")
    parser.add_argument("scheme", choices=["https", "http"], nargs="?", default="https")
    options = parser.parse_args()
    text = release_of(json.loads(options.images.read_text()), scheme=options.scheme)
    folder = options.overlay / "release"
    folder.mkdir(exist_ok=True)
    (folder / "kustomization.yaml").write_text(text)


if __name__ == "__main__":
    main()
