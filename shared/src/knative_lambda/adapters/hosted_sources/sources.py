"""Sources that hosts of their own have."""

from __future__ import annotations

import tempfile
from contextlib import contextmanager
from datetime import timedelta
from functools import cached_property
from threading import BoundedSemaphore
from typing import TYPE_CHECKING

from knative_lambda.adapters.hosted_sources.allowed_hosts import AllowedHosts
from knative_lambda.adapters.hosted_sources.https import Exchange, trusted_certificates
from knative_lambda.adapters.hosted_sources.tenant_places import TenantPlaces
from knative_lambda.domain.errors import ThrottledError
from knative_lambda.domain.hosted_source import Checkout, read_git_uri

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterator
    from typing import BinaryIO

    from knative_lambda.adapters.hosted_sources.allowed_hosts import Resolve
    from knative_lambda.domain.names import FunctionId
    from knative_lambda.domain.source_hosts import SourceHosts
    from knative_lambda.ports import SourceSecrets

# Less than an event's delivery is held, so that what is too slow is told, and not cut off.
_SECONDS = 60.0
_CHUNK = 64 * 1024
# A commit may be twice as large unpacked as the source that is taken from it, and each file has a
# folder or two. So many at once fit beside other sources into the Pod's folder for temporary files.
_UNPACKED = 2
_OBJECTS = 5
_AT_ONCE = 2
_ROOM_SECONDS = 20
# Of the four requests that a Pod handles at once, so that a slow host takes no other tenant's turn.
_PER_TENANT = 2


class NetworkSources:
    """`HostedSources` over https; nothing is resolved or connected before it is asked for.

    `max_bytes` and `max_files` bound repositories: what is fetched, and what is taken of it.
    `certificates` (PEM) are trusted beside the machine's; `resolve` replaces the machine's names.
    Two repositories are fetched at once; another one waits for `room_seconds`. Of one tenant, two
    sources are waited for or fetched at once; a third is throttled.
    """

    def __init__(
        self,
        hosts: SourceHosts,
        *,
        secrets: SourceSecrets,
        max_bytes: int,
        max_files: int,
        certificates: str | None = None,
        seconds: float = _SECONDS,
        room_seconds: float = _ROOM_SECONDS,
        resolve: Resolve | None = None,
    ) -> None:
        self._hosts = AllowedHosts(hosts, resolve=resolve)
        self._secrets = secrets
        self._max_bytes = max_bytes
        self._max_files = max_files
        self._room_seconds = room_seconds
        self._places = BoundedSemaphore(_AT_ONCE)
        self._tenants = TenantPlaces(_PER_TENANT)
        self._certificates = certificates
        self._seconds = seconds

    @cached_property
    def _context(self) -> ssl.SSLContext:
        return trusted_certificates(self._certificates)

    def read(
        self,
        function: FunctionId,
        uri: str,
        secret: str | None,
        target: BinaryIO,
        *,
        max_bytes: int,
    ) -> None:
        """Copy what is at an `https://` URL into `target`."""
        with (
            self._tenants.taken(function.namespace),
            self._exchange(function, secret, max_bytes) as exchange,
        ):
            response = exchange.request("GET", uri)
            while chunk := response.read(_CHUNK):
                target.write(chunk)

    def _exchange(self, function: FunctionId, secret: str | None, max_bytes: int) -> Exchange:
        return Exchange(
            self._hosts,
            self._context,
            authorization=None if secret is None else self._secrets.authorization(function, secret),
            max_bytes=max_bytes,
            seconds=self._seconds,
        )

    @contextmanager
    def checkout(self, function: FunctionId, uri: str, secret: str | None) -> Iterator[Checkout]:
        """Fetch the commit that a `git+https://` URL names."""
        # Loaded where it is needed: most installations have no such sources.
        from knative_lambda.adapters.hosted_sources.git_fetch import fetch  # noqa: PLC0415
        from knative_lambda.adapters.hosted_sources.git_pack import Bounds, unpack  # noqa: PLC0415
        from knative_lambda.adapters.hosted_sources.git_tree import GitTree  # noqa: PLC0415

        source = read_git_uri(uri)
        with (
            self._tenants.taken(function.namespace),
            self._room(),
            tempfile.TemporaryFile() as file,
        ):
            with (
                self._exchange(function, secret, self._max_bytes) as exchange,
                tempfile.TemporaryFile() as pack,
            ):
                ref = fetch(exchange, source, pack)
                bounds = Bounds(
                    max_bytes=_UNPACKED * self._max_bytes,
                    max_objects=_OBJECTS * self._max_files,
                    check_time=exchange.check_time,
                )
                objects = unpack(pack, file, bounds)
            tree = GitTree(objects, max_files=self._max_files, max_bytes=self._max_bytes)
            commit = tree.commit(ref)
            yield Checkout(commit=commit, files=tree.files(commit, source.path))

    @contextmanager
    def _room(self) -> Iterator[None]:
        """Let a few at once take the room of the folder for temporary files."""
        if not self._places.acquire(timeout=self._room_seconds):
            raise ThrottledError(
                "other repositories are being fetched", retry_after=timedelta(seconds=_ROOM_SECONDS)
            )
        try:
            yield
        finally:
            self._places.release()
