"""A finished image that a lambda names as its source."""

from __future__ import annotations

from typing import TYPE_CHECKING

from knative_lambda.domain.errors import UnsupportedSourceError
from lambda_oci.references import is_image, normal_image

if TYPE_CHECKING:
    from knative_lambda.domain.names import FunctionId


def check_image(function: FunctionId, image: str, *, image_prefix: str, registry_url: str) -> None:
    """Reject images of other lambdas, which go with their lambda and belong to its tenant.

    The platform's own images are no secret, and run with no more rights than any other.
    """
    repository = normal_image(image).partition("@")[0]
    # Nodes may reach the registry by another name than the control plane.
    names = (image_prefix, registry_url.partition("://")[2])
    prefixes = [normal_image(name) for name in names]
    if repository in {f"{prefix}/{function}" for prefix in prefixes}:
        return
    if any(repository.startswith(f"{prefix}/") for prefix in prefixes):
        own = f"{image_prefix}/{function}"
        raise UnsupportedSourceError(
            f"images of {function} begin with {own}@; it may not use those of other lambdas",
            field="source.image",
        )
    if not is_image(image):
        raise UnsupportedSourceError(
            "it is not the name of an image: use registry/name@sha256:..., in lower case and "
            "without empty parts",
            field="source.image",
        )
