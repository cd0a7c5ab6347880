"""What the four functions are told by their environment; on a cluster, by one ConfigMap.

Read once, when a function starts: a function with a wrong setting never becomes ready.
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, StringConstraints
from pydantic_settings import BaseSettings, SettingsConfigDict

from knative_lambda import __version__

_ByDigest = Annotated[str, StringConstraints(pattern=r"@sha256:[0-9a-f]{64}$")]
_Folder = Annotated[str, StringConstraints(pattern=r"^(s3|file)://.*/$")]


class FunctionSettings(BaseSettings):
    """What every function needs."""

    model_config = SettingsConfigDict(env_prefix="KN_LAMBDA_", frozen=True, extra="ignore")

    log_level: str = "INFO"
    builds_namespace: str = "knative-lambda-builds"


class StorageSettings(FunctionSettings):
    """Where contexts, logs and notes of deletion are kept."""

    storage_url: _Folder = Field(description="folder of our own objects; ends in /")
    s3_endpoint_url: str | None = Field(None, description="any S3-compatible server; AWS if absent")
    s3_region: str = "us-east-1"
    s3_access_key_id: SecretStr | None = None
    s3_secret_access_key: SecretStr | None = None

    def s3(self) -> dict[str, Any]:
        """What the S3 adapter is told; servers other than AWS rarely have names for buckets."""
        return {
            "endpoint_url": self.s3_endpoint_url,
            "region": self.s3_region,
            "path_style": self.s3_endpoint_url is not None,
            "access_key": self.s3_access_key_id,
            "secret_key": self.s3_secret_access_key,
        }

    def file_roots(self) -> list[Path]:
        """Folders that `file://` may name."""
        return _roots([self.storage_url])


class RegistrySettings(StorageSettings):
    """Where images go, and how Kubernetes names them."""

    registry_url: Annotated[str, StringConstraints(pattern=r"^(https?|file)://.*[^/]$")]
    image_prefix: Annotated[str, StringConstraints(pattern=r"^[^/].*[^/]$")] = Field(
        description="an image is <prefix>/<namespace>/<name>@sha256:..."
    )
    docker_config: str | None = Field(None, description="folder of config.json with credentials")


class BuildStartSettings(RegistrySettings):
    """build-start: where sources may come from, and what a build may use."""

    source_prefixes: list[str] = Field(
        description="URI prefixes that sources may have; {namespace} stands for the tenant"
    )
    base_images: dict[str, _ByDigest] = Field(description="runtime -> base image URL by digest")
    builder_image: str
    builder_version: str = __version__
    runtimes_dir: str = Field("/runtimes", description="folder of runtimes in the builder image")
    package_index_url: str | None = None
    allow_source_packages: bool = False
    source_max_bytes: Annotated[int, Field(gt=0)] = 50 * 1024 * 1024
    unpacked_max_bytes: Annotated[int, Field(gt=0)] = 250 * 1024 * 1024
    source_max_files: Annotated[int, Field(gt=0)] = 10_000
    build_timeout: timedelta = timedelta(minutes=10)
    registry_secret: str | None = Field(None, description="Secret of type dockerconfigjson")

    def file_roots(self) -> list[Path]:
        """Folders that `file://` may name: our own, and those of sources."""
        return _roots([self.storage_url, *self.source_prefixes])


class BuildCompleteSettings(RegistrySettings):
    """build-complete: how lambdas are served."""

    tenant_broker: str = "default"
    ready_timeout: timedelta = timedelta(seconds=25)


class DeleteSettings(RegistrySettings):
    """delete."""


class CleanupSettings(RegistrySettings):
    """cleanup: how long things are kept."""

    job_retention: timedelta = timedelta(hours=1)
    build_retention: timedelta = Field(
        timedelta(hours=24), description="contexts, logs and images that nothing refers to"
    )
    tombstone_retention: timedelta = timedelta(hours=24)
    stuck_after: timedelta = timedelta(minutes=10)


def _roots(urls: list[str]) -> list[Path]:
    """Folders of `file://` URLs, up to a `{namespace}` in them."""
    paths = [urlsplit(url).path for url in urls if url.startswith("file://")]
    return [Path(path.partition("{")[0]) for path in paths]
