"""Opens the repositories of images by URL, and says what their failures mean to an event."""

from __future__ import annotations

from collections import OrderedDict
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from knative_lambda.domain.errors import (
    KnativeLambdaError,
    RegistryUnavailableError,
    RejectedByPlatformError,
    ThrottledError,
)
from lambda_oci import errors

if TYPE_CHECKING:
    from collections.abc import Iterator

    from urllib3 import PoolManager

    from lambda_oci.http import Patience
    from lambda_oci.references import RegistryLocation
    from lambda_oci.repository import Repository

_SCHEMES = ("http://", "https://", "file://")
# Cleanup looks at thousands of repositories once; all others come back to a few.
_REMEMBERED = 100


@dataclass(frozen=True, kw_only=True)
class ImageRepositories:
    """Repositories by URL; what a scheme needs is loaded when it is needed."""

    docker_config: str | None = None
    """Folder of a config.json with credentials, which may change meanwhile."""
    upload_seconds: float | None = None
    """How long a registry may take to store what it was sent; None for one that only reads."""
    _remembered: OrderedDict[str, Repository] = field(default_factory=OrderedDict, init=False)
    _pools: dict[str, PoolManager] = field(default_factory=dict, init=False)

    def at(self, url: str) -> Repository:
        """The repository, with the token that it has from the last time."""
        if (known := self._remembered.get(url)) is not None:
            return known
        if not url.startswith(_SCHEMES):
            raise RejectedByPlatformError(
                "the registry's URL must begin with http://, https:// or file://",
                field="registry_url",
            )
        repository = self._remembered[url] = self._open(url)
        if len(self._remembered) > _REMEMBERED:
            self._remembered.popitem(last=False)
        return repository

    def _open(self, url: str) -> Repository:
        from lambda_oci.references import LayoutLocation, parse_repository  # noqa: PLC0415

        location = parse_repository(url)
        if isinstance(location, LayoutLocation):
            from lambda_oci.layout import LayoutRepository  # noqa: PLC0415

            return LayoutRepository(location.folder)
        return self._connect(location)

    def _connect(self, location: RegistryLocation) -> Repository:
        from lambda_oci.http import connection_pool  # noqa: PLC0415
        from lambda_oci.registry import RegistryRepository  # noqa: PLC0415

        patience = self._patience()
        if location.origin not in self._pools:
            self._pools[location.origin] = connection_pool(location.origin, patience)
        pool = self._pools[location.origin]
        folder = None if self.docker_config is None else Path(self.docker_config)
        return RegistryRepository.connect(location, folder, patience=patience, pool=pool)

    def _patience(self) -> Patience:
        from lambda_oci.http import OF_AN_EVENT  # noqa: PLC0415

        if self.upload_seconds is None:
            return OF_AN_EVENT
        return replace(OF_AN_EVENT, read_seconds=self.upload_seconds)


@contextmanager
def translated_errors() -> Iterator[None]:
    """Raise our errors instead of those of the client."""
    try:
        yield
    except errors.OciError as error:
        raise _error_of(error) from error
    except OSError as error:
        raise RegistryUnavailableError(
            f"an image layout folder cannot be read or written ({type(error).__name__})"
        ) from error


def _error_of(error: errors.OciError) -> KnativeLambdaError:
    if isinstance(error, errors.ThrottledError):
        wait = timedelta(seconds=error.retry_after_seconds)
        return ThrottledError(error.message, retry_after=wait)
    if isinstance(error, errors.SetupError):
        return RegistryUnavailableError(f"{error.message}; check the registry secret")
    if isinstance(error, errors.RejectedError):
        return RejectedByPlatformError(error.message)
    return RegistryUnavailableError(error.message)
