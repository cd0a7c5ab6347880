"""An image repository of a registry, by the OCI distribution API."""

from __future__ import annotations

import hashlib
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import urlencode, urljoin

from lambda_oci.credentials import find_credentials
from lambda_oci.descriptors import (
    DOCKER_INDEX,
    DOCKER_MANIFEST,
    INDEX,
    MANIFEST,
    Descriptor,
    describe,
    invalid_image,
)
from lambda_oci.errors import RejectedError, StoredImageError
from lambda_oci.references import RegistryLocation, check_tag
from lambda_oci.repository import check_content, check_size
from lambda_oci.transport import Transport, TroubleError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from lambda_oci.repository import Repository

_CHUNK = 1024 * 1024
_OK, _CREATED, _ACCEPTED, _NOT_FOUND = 200, 201, 202, 404
_MANIFESTS = f"{MANIFEST}, {INDEX}, {DOCKER_MANIFEST}, {DOCKER_INDEX}"


class RegistryRepository:
    """One repository; blobs are sent in one piece each."""

    def __init__(self, location: RegistryLocation, transport: Transport) -> None:
        self.location = location
        self._transport = transport
        self._path = f"/v2/{location.name}"

    @classmethod
    def connect(cls, location: RegistryLocation, docker_config: Path | None) -> RegistryRepository:
        """A repository with the credentials that `DOCKER_CONFIG` has for it."""
        credentials = find_credentials(docker_config, location)
        scopes = [f"repository:{location.name}:pull"]
        return cls(location, Transport(location.origin, credentials, scopes))

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Ask for the right to push; registries collect garbage without our help."""
        self._transport.scopes = [f"repository:{self.location.name}:pull,push"]
        yield

    def contains(self, blob: Descriptor) -> bool:
        """Ask with HEAD."""
        url = f"{self._path}/blobs/{blob.digest}"
        return self._transport.retry(partial(self._transport.send, "HEAD", url)).status == _OK

    def adopt(self, blob: Descriptor, origin: Repository) -> bool:
        """Mount the blob from a repository of the same registry."""
        if not isinstance(origin, RegistryRepository):
            return False
        if origin.location.origin != self.location.origin:
            return False
        pull = f"repository:{origin.location.name}:pull"
        if pull not in self._transport.scopes:
            self._transport.scopes.append(pull)
        query = urlencode({"mount": blob.digest, "from": origin.location.name})
        url = f"{self._path}/blobs/uploads/?{query}"
        # A registry that cannot mount answers 202: an upload session, which it forgets in time.
        response = self._transport.retry(partial(self._transport.send, "POST", url))
        return response.status == _CREATED

    def add_blob(self, blob: Descriptor, content: Path) -> None:
        """Send the file; a try that breaks starts over with a new upload."""
        self._transport.retry(partial(self._upload, blob, content))

    def _upload(self, blob: Descriptor, content: Path) -> None:
        started = self._transport.send("POST", f"{self._path}/blobs/uploads/")
        location = started.headers.get("Location")
        if started.status != _ACCEPTED or not location:
            raise self._unexpected("an upload", started.status)
        url = urljoin(self.location.origin, location)
        url += f"{'&' if '?' in url else '?'}{urlencode({'digest': blob.digest})}"
        headers = {"Content-Type": "application/octet-stream", "Content-Length": str(blob.size)}
        with content.open("rb") as body:
            status = self._transport.send("PUT", url, headers=headers, body=body).status
        if status == _NOT_FOUND:
            raise TroubleError("it forgot an upload")
        if status != _CREATED:
            raise self._unexpected("a layer", status)

    def add_manifest(self, content: bytes, tag: str) -> Descriptor:
        """Push by tag, then make sure that the digest names the very same bytes."""
        manifest = describe(MANIFEST, content)
        headers = {"Content-Type": MANIFEST}
        url = f"{self._path}/manifests/{check_tag(tag)}"
        send = self._transport.send
        status = self._transport.retry(
            partial(send, "PUT", url, headers=headers, body=content)
        ).status
        if status != _CREATED:
            raise self._unexpected("a manifest", status)
        self.read_manifest(manifest.digest)
        return manifest

    def read_manifest(self, digest: str) -> bytes:
        """A manifest or index by its digest."""
        return check_content(self._get(f"manifests/{digest}", {"Accept": _MANIFESTS}), digest)

    def read_blob(self, blob: Descriptor) -> bytes:
        """A small blob."""
        check_size(blob)
        return check_content(self._get(f"blobs/{blob.digest}", {}), blob.digest)

    def _get(self, path: str, headers: dict[str, str]) -> bytes:
        url = f"{self._path}/{path}"
        response = self._transport.retry(partial(self._transport.send, "GET", url, headers=headers))
        if response.status != _OK:
            raise self._missing(path.rpartition("/")[2])
        return response.data

    def copy_blob(self, blob: Descriptor, target: Path) -> None:
        """Download to a file."""
        self._transport.retry(partial(self._download, blob, target))

    def _download(self, blob: Descriptor, target: Path) -> None:
        url = f"{self._path}/blobs/{blob.digest}"
        response = self._transport.send("GET", url, stream=True)
        if response.status != _OK:
            raise self._missing(blob.digest)
        sha256, size = hashlib.sha256(), 0
        with target.open("wb") as file:
            for chunk in response.stream(_CHUNK):
                if (size := size + len(chunk)) > blob.size:
                    raise invalid_image(f"{blob.digest} is larger than its descriptor says")
                sha256.update(chunk)
                file.write(chunk)
        if f"sha256:{sha256.hexdigest()}" != blob.digest:
            raise TroubleError("a download was damaged")

    def _missing(self, digest: str) -> StoredImageError:
        place = f"{self.location.host}/{self.location.name}"
        return StoredImageError("ImageNotFound", f"{digest} is not in {place}")

    def _unexpected(self, what: str, status: int) -> RejectedError:
        message = f"the registry {self.location.host} answers {status} to {what}"
        return RejectedError("RegistryRefused", message)
