"""What the control functions read from their environment; on a cluster, from one ConfigMap.

Read once, when a function starts: a function with a wrong setting never becomes ready. The
attribute `storage_url` is the variable `KN_LAMBDA_STORAGE_URL`, and so on.
"""

import json
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

from knative_lambda import __version__
from knative_lambda.domain.language import Languages
from knative_lambda.domain.packages import IndexCredentials, PackageIndex, PackageIndexes
from knative_lambda.settings.environment import Check, Settings

_LogLevel = Annotated[
    str, Check(r"DEBUG|INFO|WARNING|ERROR|CRITICAL", "DEBUG, INFO, WARNING, ERROR or CRITICAL")
]
_Positive = Annotated[int, Check(r"[1-9][0-9]*", "1 or more")]
_Folder = Annotated[
    str, Check(r"(s3|file)://.*/", "the URL of a folder, s3://... or file://..., and end in /")
]
_SourcePrefixes = Annotated[
    # Without the slash, the tenant "a" could read what belongs to "ab".
    list[str],
    Check(r"(s3|file)://.*/", "URLs of folders, s3://... or file://..., that end in /"),
]
_RegistryUrl = Annotated[
    str,
    Check(r"(https?|file)://.*[^/]", "an http, https or file URL, and not end in /"),
]
_ImagePrefix = Annotated[
    str, Check(r"[a-z0-9][a-zA-Z0-9.:_/-]*[a-zA-Z0-9]", "the beginning of an image name, without /")
]
_PLAIN_URL = r"(https?|file)://[^@?#]*"
_IndexUrl = Annotated[
    str, Check(_PLAIN_URL, "an http, https or file URL without user and password")
]
_IndexUrls = Annotated[
    dict[str, str], Check(_PLAIN_URL, "http, https or file URLs without user and password")
]
_PackagePrefixes = Annotated[
    list[str],
    Check(_PLAIN_URL, "http, https or file URLs without user and password"),
]
_BaseImages = Annotated[
    dict[str, str], Check(r"(https?|file)://.+@sha256:[0-9a-f]{64}", "URLs of images by digest")
]

_Certificates = Annotated[str, Check(r"(?s).*-----BEGIN CERTIFICATE-----.*", "certificates in PEM")]

_SOURCE_MAX_BYTES = 50 * 1024 * 1024
_UNPACKED_MAX_BYTES = 250 * 1024 * 1024
_SOURCE_MAX_FILES = 10_000
_PACKAGES_MAX_BYTES = 512 * 1024 * 1024

# A delivery is held that long; its Service's timeoutSeconds (120) includes a cold start.
_LONGEST_HOLD = timedelta(seconds=100)


class FunctionSettings(Settings):
    """What every function needs."""

    log_level: _LogLevel = "INFO"
    builds_namespace: str = "knative-lambda-builds"


class StorageSettings(FunctionSettings):
    """Where contexts, logs and notes of deletion are kept."""

    storage_url: _Folder
    """Folder of our own objects."""
    s3_endpoint_url: str | None = None
    """Any S3-compatible server; AWS if absent."""
    s3_region: str = "us-east-1"
    s3_access_key_id: str | None = None
    s3_secret_access_key: str | None = None
    s3_post_policy: bool = True
    """Whether it bounds the size of an upload by a POST policy; false where it has none."""

    def __init__(self) -> None:
        super().__init__()
        if (self.s3_access_key_id is None) != (self.s3_secret_access_key is None):
            names = "KN_LAMBDA_S3_ACCESS_KEY_ID and KN_LAMBDA_S3_SECRET_ACCESS_KEY"
            raise ValueError(f"{names}: set both or neither")

    def s3(self) -> dict[str, Any]:
        """Return what the S3 adapter needs; only AWS can be relied on to resolve bucket names."""
        return {
            "endpoint_url": self.s3_endpoint_url,
            "region": self.s3_region,
            "path_style": self.s3_endpoint_url is not None,
            "access_key": self.s3_access_key_id,
            "secret_key": self.s3_secret_access_key,
            "post_policy": self.s3_post_policy,
        }

    def file_roots(self) -> list[Path]:
        """Return the folders that `file://` may name."""
        return _roots([self.storage_url])


class RegistrySettings(StorageSettings):
    """Where images go, and how Kubernetes names them."""

    registry_url: _RegistryUrl
    image_prefix: _ImagePrefix
    """An image is `<prefix>/<namespace>/<name>@sha256:...`."""
    docker_config: str | None = None
    """Folder of a config.json with credentials."""


class BuildStartSettings(RegistrySettings):
    """build-start: where sources may come from, and what a build may use."""

    source_prefixes: _SourcePrefixes
    """What the URI of a source may begin with; `{namespace}` stands for the tenant."""
    source_hosts: list[str] | None = None
    """Hosts of sources besides storage: `host`, `host:port`, `host=network` for an internal one."""
    source_certificates: _Certificates | None = None
    """PEM; trusted beside the machine's for these hosts."""
    languages: Languages
    """Which files are code, and which ask for packages."""
    base_images: _BaseImages
    """Runtime -> base image."""
    build_job_image: str
    builder_version: str = __version__
    runtimes_dir: str = "/runtimes"
    """Folder of runtimes in the builder image."""
    package_index_url: _IndexUrl | None = None
    package_index_username: str | None = None
    package_index_password: str | None = None
    package_indexes: _IndexUrls | None = None
    """Language -> its own index."""
    package_index_credentials: IndexCredentials | None = None
    """Of these."""
    package_url_prefixes: _PackagePrefixes | None = None
    """Where a source may name packages besides the index."""
    allow_git_packages: bool = False
    """Below these prefixes."""
    allow_source_packages: bool = False
    require_hashes: bool = False
    """Whether a source has to name every package by a hash."""
    packages_max_age: timedelta = timedelta(days=7)
    """Of kept packages that no hash names; then they are installed anew."""
    packages_max_bytes: _Positive = _PACKAGES_MAX_BYTES
    """Of what a build may install."""
    source_max_bytes: _Positive = _SOURCE_MAX_BYTES
    unpacked_max_bytes: _Positive = _UNPACKED_MAX_BYTES
    source_max_files: _Positive = _SOURCE_MAX_FILES
    build_timeout: timedelta = timedelta(minutes=10)
    max_builds: _Positive = 50
    """How many builds may run at once; others wait."""
    max_builds_per_tenant: _Positive = 10

    def file_roots(self) -> list[Path]:
        """Folders that `file://` may name: our own, and those of sources."""
        return _roots([self.storage_url, *self.source_prefixes])

    def __init__(self) -> None:
        super().__init__()
        if self.source_hosts:
            # Most installations have none, and start without what reads them.
            from knative_lambda.domain.source_hosts import SourceHosts  # noqa: PLC0415

            try:
                SourceHosts(self.source_hosts)
            except ValueError as error:
                raise ValueError(f"KN_LAMBDA_SOURCE_HOSTS: {error}") from None
        if self.source_certificates is not None:
            import ssl  # noqa: PLC0415

            try:
                ssl.create_default_context(cadata=self.source_certificates)
            except ssl.SSLError:
                raise ValueError(
                    "KN_LAMBDA_SOURCE_CERTIFICATES must be certificates in PEM"
                ) from None
        if (self.package_index_username is None) != (self.package_index_password is None):
            names = "KN_LAMBDA_PACKAGE_INDEX_USERNAME and KN_LAMBDA_PACKAGE_INDEX_PASSWORD"
            raise ValueError(f"{names}: set both or neither")
        own = (self.package_indexes or {}).keys()
        installed = [language.name for language in self.languages.known]
        if not own <= set(installed):
            names = " or ".join(installed)
            raise ValueError(f"KN_LAMBDA_PACKAGE_INDEXES: may name no language but {names}")
        credentials = self.package_index_credentials
        if credentials is not None and not credentials.known.keys() <= own:
            raise ValueError(
                "KN_LAMBDA_PACKAGE_INDEX_CREDENTIALS: names a language that has no index in"
                " KN_LAMBDA_PACKAGE_INDEXES"
            )

    def packages_policy(self) -> str:
        """Return all that decides, beside the index, which packages may be installed."""
        return json.dumps(
            {
                "source packages": self.allow_source_packages,
                "git": self.allow_git_packages,
                "hashes": self.require_hashes,
                "prefixes": self.package_url_prefixes,
            }
        )

    def indexes(self) -> PackageIndexes:
        """Return each index with its own credentials, and those of no other one."""
        common, own = None, self.package_index_credentials or IndexCredentials({})
        if self.package_index_username is not None:
            common = json.dumps(
                {"username": self.package_index_username, "password": self.package_index_password}
            )
        return PackageIndexes(
            common=PackageIndex(url=self.package_index_url, credentials=common),
            own={
                language: PackageIndex(url=url, credentials=own.known.get(language))
                for language, url in (self.package_indexes or {}).items()
            },
        )


class PublishSettings(RegistrySettings):
    """publish: what may be in an image."""

    languages: Languages
    base_images: _BaseImages
    """Those that images are made on: other digests of them too, of the release before."""
    source_max_bytes: _Positive = _SOURCE_MAX_BYTES
    unpacked_max_bytes: _Positive = _UNPACKED_MAX_BYTES
    source_max_files: _Positive = _SOURCE_MAX_FILES
    packages_max_bytes: _Positive = _PACKAGES_MAX_BYTES


class BuildCompleteSettings(RegistrySettings):
    """build-complete: how lambdas are served."""

    languages: Languages
    """Which objects are a source of one file, which names the handler."""
    packages_max_bytes: _Positive = _PACKAGES_MAX_BYTES
    tenant_broker: str = "default"
    follow_timeout: timedelta = timedelta(seconds=30)
    """How long a delivery waits for a running build; with `ready_timeout`, its longest hold."""
    ready_timeout: timedelta = timedelta(seconds=60)
    start_timeout: timedelta = timedelta(seconds=90)
    """For how long a Pod may wait for a node and its image; zero lets a build's wait for as long
    as its Job may."""

    def __init__(self) -> None:
        super().__init__()
        most = int(_LONGEST_HOLD.total_seconds())
        if self.start_timeout > _LONGEST_HOLD:
            raise ValueError(f"KN_LAMBDA_START_TIMEOUT: must be at most {most} seconds")
        if self.follow_timeout + self.ready_timeout > _LONGEST_HOLD:
            raise ValueError(
                "KN_LAMBDA_READY_TIMEOUT: together with KN_LAMBDA_FOLLOW_TIMEOUT it must be"
                f" at most {most} seconds"
            )


class DeleteSettings(RegistrySettings):
    """delete."""


class CleanupSettings(RegistrySettings):
    """Settings of cleanup: how long things are kept."""

    base_images: _BaseImages
    """Runtime -> base image; lambdas on another one are told of."""

    job_retention: timedelta = timedelta(hours=1)
    build_retention: timedelta = timedelta(hours=24)
    """Of contexts, logs and images that nothing refers to."""
    tombstone_retention: timedelta = timedelta(hours=24)
    dead_letter_retention: timedelta = timedelta(days=14)
    untold_after: timedelta = timedelta(minutes=1)
    """Watchers of a Job that ended this long ago, with no outcome recorded, are notified again."""
    stuck_after: timedelta = timedelta(minutes=15)
    pass_timeout: timedelta = timedelta(seconds=100)
    """A pass leaves the rest to the next one by then; less than its Service's timeoutSeconds."""


class ApiSettings(StorageSettings):
    """api: where logs are read, and where people's sources go."""

    upload_url: _Folder | None = None
    """None where people bring their sources into storage themselves."""
    source_max_bytes: _Positive = _SOURCE_MAX_BYTES

    def file_roots(self) -> list[Path]:
        """Folders that `file://` may name: our own, and that of uploads."""
        return _roots([self.storage_url, *filter(None, [self.upload_url])])


class DeadLetterSettings(StorageSettings):
    """dead-letter: needs storage only."""


def _roots(urls: list[str]) -> list[Path]:
    """Folders of `file://` URLs, up to a `{namespace}` in them; nothing is percent-encoded."""
    paths = [url.removeprefix("file://") for url in urls if url.startswith("file://")]
    return [Path(path.partition("{")[0]) for path in paths]
