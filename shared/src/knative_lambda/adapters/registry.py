"""Finished images, in a registry (`http://`, `https://`) or in OCI layout folders (`file://`)."""

from __future__ import annotations

from dataclasses import dataclass, field

from knative_lambda.adapters.image_repositories import ImageRepositories, translated_errors


@dataclass(frozen=True, kw_only=True)
class SchemeImageRegistry:
    """Repositories by URL."""

    docker_config: str | None = None
    """Folder of a config.json with credentials, which may change meanwhile."""
    _repositories: ImageRepositories = field(init=False)

    def __post_init__(self) -> None:
        """Remember what is opened."""
        repositories = ImageRepositories(docker_config=self.docker_config)
        object.__setattr__(self, "_repositories", repositories)

    def find(self, repository_url: str, tag: str) -> str | None:
        """The digest behind a tag."""
        with translated_errors():
            return self._repositories.at(repository_url).find(tag)

    def list_tags(self, repository_url: str) -> list[str]:
        """All tags; none where the repository is unknown."""
        with translated_errors():
            return self._repositories.at(repository_url).list_tags()

    def delete(self, repository_url: str, digest: str) -> None:
        """Remove a manifest and its tags; one that is gone is removed already."""
        with translated_errors():
            self._repositories.at(repository_url).delete(digest)
