"""The image of a lambda, as publish is asked to make it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from knative_lambda.domain.language import Language


@dataclass(frozen=True, kw_only=True, slots=True)
class ImageOrder:
    """The layers of the base image, those of kept packages, and one of the author's files."""

    repository_url: str
    tag: str
    packages_tag: str | None
    """Of the packages kept in the same repository; None for an image without any."""
    base_image_url: str
    runtime: str
    language: Language
