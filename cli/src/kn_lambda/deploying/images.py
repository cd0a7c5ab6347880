"""Images that can be deployed without a build."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any

from kn_lambda.cluster.records import mapping, text
from kn_lambda.errors import WrongUsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

# What the embedded platform calls its own registry, which no other server has.
_EMBEDDED_REGISTRY = "registry.embedded"


def require_digest(spec: Mapping[str, Any]) -> None:
    """Raise `WrongUsageError` if the image of a spec has no digest, and say how to get it."""
    image = text(mapping(spec.get("source")).get("image"))
    if not image or "@" in image:
        return
    command = ["skopeo", "inspect", "--format", "{{.Name}}@{{.Digest}}", f"docker://{image}"]
    raise WrongUsageError(
        f"the image {image} has no digest: its tag may name another image tomorrow, and a function"
        " always runs the same one",
        hint="Name the image as NAME@sha256:... One of these commands prints the digest:\n"
        f"  {shlex.join(command)}\n"
        f"  {shlex.join(['docker', 'buildx', 'imagetools', 'inspect', image])}\n"
        "The embedded platform runs only images that it built itself.",
    )


def require_runnable(spec: Mapping[str, Any], settings: Mapping[str, str]) -> None:
    """Raise `WrongUsageError` if the platform has no way to run the image of a spec."""
    image = text(mapping(spec.get("source")).get("image"))
    is_embedded = settings.get("KN_LAMBDA_IMAGE_PREFIX") == _EMBEDDED_REGISTRY
    if image and is_embedded and not image.startswith(f"{_EMBEDDED_REGISTRY}/"):
        raise WrongUsageError(
            f"the embedded platform cannot run {image}: it runs only images that it built itself,"
            f" {_EMBEDDED_REGISTRY}/NAMESPACE/NAME@sha256:...",
            hint="Deploy the source instead, or deploy the image to a cluster with --context.",
        )
