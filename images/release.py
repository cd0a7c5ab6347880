"""Write which images an overlay runs.

`python -m images.release dist/images.json config/overlays/production [http]`: `make images` made
that list. The result is the overlay's component `release`: our own images by digest, and what
the functions are told of builder and base images (http where that registry has no TLS).
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import yaml

from lambda_builder.runtime import read_languages, source_suffixes

_BASE = "registry.knative-lambda.svc.cluster.local:5000/knative-lambda"
_CHECKOUT = Path(__file__).parents[1]
_CONFIG = _CHECKOUT / "config"
_RUNTIMES = _CHECKOUT / "runtimes"
_COMMENT = "# Written by images/release.py from what `make images` has made.\n"


class _Block(str):
    """Text that YAML shows line by line."""

    __slots__ = ()


yaml.SafeDumper.add_representer(
    _Block,
    lambda dumper, text: dumper.represent_scalar("tag:yaml.org,2002:str", str(text), style="|"),
)


def release(images: dict[str, str], *, scheme: str) -> dict[str, Any]:
    """Return the component for these images, name -> `host/repository@sha256:...`."""
    functions = {path.stem for path in (_CONFIG / "base" / "functions").glob("*.yaml")}
    if missing := {*functions, "builder"} - set(images):
        raise SystemExit(f"no image of {', '.join(sorted(missing))}; run make images for all")
    runtimes = {
        name: f"{scheme}://{image}"
        for name, image in sorted(images.items())
        if name not in {*functions, "builder"}
    }
    data = {
        "KN_LAMBDA_BUILDER_IMAGE": images["builder"],
        "KN_LAMBDA_BASE_IMAGES": json.dumps(runtimes),
        "KN_LAMBDA_SOURCE_SUFFIXES": json.dumps(source_suffixes(read_languages(_RUNTIMES))),
    }
    settings = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "knative-lambda-settings", "namespace": "knative-lambda"},
        "data": data,
    }
    return {
        "apiVersion": "kustomize.config.k8s.io/v1alpha1",
        "kind": "Component",
        "images": [_image(name, images[name]) for name in sorted(functions)],
        "patches": [{"patch": _Block(yaml.safe_dump(settings, sort_keys=False, width=1000))}],
    }


def _image(name: str, image: str) -> dict[str, str]:
    repository, _, digest = image.partition("@")
    return {"name": f"{_BASE}/{name}", "newName": repository, "digest": digest}


def main() -> None:
    """Read the list of images, write the component."""
    file, overlay, *more = sys.argv[1:]
    component = release(json.loads(Path(file).read_text()), scheme=more[0] if more else "https")
    folder = Path(overlay) / "release"
    folder.mkdir(exist_ok=True)
    text = yaml.safe_dump(component, sort_keys=False, width=1000)
    (folder / "kustomization.yaml").write_text(_COMMENT + text)


if __name__ == "__main__":
    main()
