"""Finished images, in a registry (`http://`, `https://`) or in OCI layout folders (`file://`)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from knative_lambda.domain.errors import RejectedByPlatformError

if TYPE_CHECKING:
    from knative_lambda.ports import ImageRegistry


@dataclass(frozen=True, kw_only=True)
class SchemeImageRegistry:
    """Chooses the adapter by the scheme of the repository URL, and loads it when needed."""

    docker_config: str | None = None

    def find(self, repository_url: str, tag: str) -> str | None:
        """The digest behind a tag."""
        return self._adapter(repository_url).find(repository_url, tag)

    def list_tags(self, repository_url: str) -> list[str]:
        """All tags; none where the repository is unknown."""
        return self._adapter(repository_url).list_tags(repository_url)

    def delete(self, repository_url: str, digest: str) -> None:
        """Remove a manifest and its tags; one that is gone is removed already."""
        self._adapter(repository_url).delete(repository_url, digest)

    def _adapter(self, repository_url: str) -> ImageRegistry:
        scheme = repository_url.partition("://")[0]
        if scheme == "file":
            return self._layouts
        if scheme in {"http", "https"}:
            return self._distribution
        raise RejectedByPlatformError(
            "the registry's URL must begin with http://, https:// or file://", field="registry_url"
        )

    @cached_property
    def _layouts(self) -> ImageRegistry:
        from knative_lambda.adapters.registry.layout import LayoutImageRegistry  # noqa: PLC0415

        return LayoutImageRegistry()

    @cached_property
    def _distribution(self) -> ImageRegistry:
        from knative_lambda.adapters.registry.distribution import (  # noqa: PLC0415
            DistributionImageRegistry,
        )

        return DistributionImageRegistry(docker_config=self.docker_config)
