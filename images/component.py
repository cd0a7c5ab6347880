"""`python -m images.component dist/images.json`: prints a kustomize component with these images.

An overlay that lists it runs the functions by digest and tells build-start which builder and base
images to use. The text is JSON, which is YAML too.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from images.references import registry_url
from lambda_builder.runtime import languages_setting, read_languages

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from lambda_builder.language import Language

# What config/base calls the repositories of our images.
PLACEHOLDER = "registry.knative-lambda.svc.cluster.local:5000/knative-lambda"
_SETTINGS = {"namespace": "knative-lambda", "name": "knative-lambda-settings"}


def settings_of(
    references: Mapping[str, str], functions: set[str], languages: Iterable[Language]
) -> dict[str, str]:
    """The settings that tell the functions about the other images."""
    runtimes = {
        name: registry_url(reference)
        for name, reference in references.items()
        if name not in functions | {"builder"}
    }
    settings = {}
    if runtimes:
        settings["KN_LAMBDA_BASE_IMAGES"] = json.dumps(runtimes, sort_keys=True)
        settings["KN_LAMBDA_LANGUAGES"] = languages_setting(languages)
    if (builder := references.get("builder")) is not None:
        settings["KN_LAMBDA_BUILD_JOB_IMAGE"] = builder
    return settings


def component_of(
    references: Mapping[str, str],
    functions: set[str],
    languages: Iterable[Language],
    *,
    encode: Callable[[object], str] = json.dumps,
) -> dict[str, Any]:
    """The component: images of the functions by digest, and a patch of the settings.

    The patch is text within the component; `encode` writes it.
    """
    images = []
    for name in sorted(functions & references.keys()):
        repository, _, digest = references[name].partition("@")
        images.append({"name": f"{PLACEHOLDER}/{name}", "newName": repository, "digest": digest})
    settings = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": _SETTINGS}
    patch = {**settings, "data": settings_of(references, functions, languages)}
    return {
        "apiVersion": "kustomize.config.k8s.io/v1alpha1",
        "kind": "Component",
        "images": images,
        "patches": [{"patch": encode(patch)}],
    }


def function_names(checkout: Path) -> set[str]:
    """The folders of `functions/`."""
    return {file.parent.name for file in (checkout / "functions").glob("*/main.py")}


def main() -> None:
    """Print the component of the images that a file names."""
    parser = argparse.ArgumentParser(prog="python -m images.component", description=__doc__)
    parser.add_argument("images", type=Path, help="what `python -m images` printed")
    references = json.loads(parser.parse_args().images.read_text())
    checkout = Path(__file__).resolve().parents[1]
    languages = read_languages(checkout / "runtimes")
    component = component_of(references, function_names(checkout), languages)
    sys.stdout.write(json.dumps(component, indent=2) + "\n")


if __name__ == "__main__":
    main()
