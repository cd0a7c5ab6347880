"""An image repository of a registry, by the OCI distribution API (distribution-spec 1.1)."""

from __future__ import annotations

import re
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import urlencode, urljoin, urlsplit

from lambda_oci.credentials import find_credentials
from lambda_oci.descriptors import (
    DOCKER_INDEX,
    DOCKER_MANIFEST,
    INDEX,
    MANIFEST,
    Descriptor,
    check_content,
    check_size,
    describe,
    invalid_image,
    parse_object,
)
from lambda_oci.errors import RejectedError, StoredImageError
from lambda_oci.hashing import Hashing
from lambda_oci.references import RegistryLocation, check_digest, check_tag, is_digest
from lambda_oci.transport import TransientError, Transport

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import Unpack

    from urllib3 import PoolManager

    from lambda_oci.http import Patience
    from lambda_oci.repository import Repository
    from lambda_oci.transport import Options, Response

_CHUNK = 1024 * 1024
_OK, _CREATED, _ACCEPTED, _BAD_REQUEST, _NOT_FOUND, _NOT_ALLOWED = 200, 201, 202, 400, 404, 405
_MANIFESTS = {"Accept": f"{MANIFEST}, {INDEX}, {DOCKER_MANIFEST}, {DOCKER_INDEX}"}
_NEXT = re.compile(r'<([^<>]+)>;\s*rel="next"')
# Some registries send all tags at once, whatever they are asked for.
_MAX_TAGS_BYTES = 16 * 1024 * 1024
_MAX_PAGES = 1000
_BLOB_UNKNOWN = "MANIFEST_BLOB_UNKNOWN"


class RegistryRepository:
    """One repository; blobs are sent in one piece each."""

    def __init__(self, location: RegistryLocation, transport: Transport) -> None:
        self.location = location
        self._transport = transport
        self._path = f"/v2/{location.name}"

    @classmethod
    def connect(
        cls,
        location: RegistryLocation,
        docker_config: Path | None,
        *,
        patience: Patience,
        pool: PoolManager,
    ) -> RegistryRepository:
        """A repository; its credentials are read from `docker_config` at every challenge."""
        transport = Transport(
            location.origin,
            partial(find_credentials, docker_config, location),
            [f"repository:{location.name}:pull"],
            patience=patience,
            pool=pool,
        )
        return cls(location, transport)

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Request the right to push; registries collect garbage themselves."""
        self._transport.scopes = [f"repository:{self.location.name}:pull,push"]
        yield

    def contains(self, blob: Descriptor) -> bool:
        """Check with HEAD."""
        return self._ask("HEAD", f"blobs/{blob.digest}").status == _OK

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
        # A registry that cannot mount starts an upload (202), which expires unused.
        return self._ask("POST", f"blobs/uploads/?{query}").status == _CREATED

    def add_blob(self, blob: Descriptor, content: Path) -> None:
        """Send the file; a failed try starts over with a new upload."""
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
            raise TransientError("it forgot an upload")
        if status != _CREATED:
            raise self._unexpected("a layer", status)

    def add_manifest(self, content: bytes, tag: str) -> Descriptor:
        """Push by tag; a registry that does not say which bytes it took is asked for them."""
        manifest = describe(MANIFEST, content)
        url = f"{self._path}/manifests/{check_tag(tag)}"
        response = self._transport.retry(partial(self._put_manifest, url, content))
        if response.status != _CREATED:
            raise self._unexpected("a manifest", response.status)
        if response.headers.get("Docker-Content-Digest") != manifest.digest:
            self.read_manifest(manifest.digest)
        return manifest

    def _put_manifest(self, url: str, content: bytes) -> Response:
        response = self._transport.send(
            "PUT",
            url,
            headers={"Content-Type": MANIFEST},
            body=content,
            expected=(_BAD_REQUEST, _NOT_FOUND),
        )
        if _has_error(response, _BLOB_UNKNOWN):
            # It had them all a moment ago. distribution forgets a blob for as long as it writes it
            # down once more, for somebody else who sends the same.
            raise TransientError("it does not know a layer that it has been sent")
        return response

    def read_manifest(self, digest: str) -> bytes:
        """A manifest or index by its digest."""
        return check_content(self._get(f"manifests/{digest}", headers=_MANIFESTS), digest)

    def read_tagged(self, tag: str) -> bytes | None:
        """The manifest or index behind a tag."""
        response = self._ask("GET", f"manifests/{check_tag(tag)}", headers=_MANIFESTS)
        return response.content if response.status == _OK else None

    def read_blob(self, blob: Descriptor) -> bytes:
        """A small blob."""
        check_size(blob)
        return check_content(self._get(f"blobs/{blob.digest}"), blob.digest)

    def copy_blob(self, blob: Descriptor, target: Path) -> None:
        """Download to a file."""
        self._transport.retry(partial(self._download, blob, target))

    def _download(self, blob: Descriptor, target: Path) -> None:
        response = self._transport.open(f"{self._path}/blobs/{blob.digest}")
        if response.status != _OK:
            raise self._missing(blob.digest)
        with target.open("wb") as file:
            hashing = Hashing(file)
            for chunk in response.stream(_CHUNK):
                hashing.write(chunk)
                if hashing.size > blob.size:
                    response.close()
                    raise invalid_image(f"{blob.digest} is larger than its descriptor says")
        if hashing.digest != blob.digest:
            raise TransientError("a download was damaged")

    def find(self, tag: str) -> str | None:
        """The digest behind a tag."""
        path = f"manifests/{check_tag(tag)}"
        response = self._ask("HEAD", path, headers=_MANIFESTS)
        if response.status == _NOT_FOUND:
            return None
        digest = response.headers.get("Docker-Content-Digest")
        if digest is None:
            # The header is a SHOULD of the specification.
            return describe(MANIFEST, self._get(path, headers=_MANIFESTS)).digest
        if not is_digest(digest):
            raise self._transport.unavailable("sends a digest that is not one")
        return digest

    def list_tags(self) -> list[str]:
        """All tags in order."""
        tags: list[str] = []
        query = "n=1000"
        for _ in range(_MAX_PAGES):
            response = self._ask("GET", f"tags/list?{query}", max_bytes=_MAX_TAGS_BYTES)
            if response.status == _NOT_FOUND:
                return sorted(tags)
            tags += self._tags_in(response)
            # Only the query of the link is used: the next page is in the same repository.
            link = _NEXT.search(response.headers.get("Link", ""))
            if link is None:
                return sorted(tags)
            try:
                query = urlsplit(link[1]).query
            except ValueError:
                raise self._transport.unavailable("names an invalid URL") from None
        raise self._transport.unavailable("has an endless list of tags")

    def _tags_in(self, response: Response) -> list[str]:
        document = parse_object(response.content)
        # Some registries send null for no tags.
        tags = None if document is None else document.get("tags") or []
        if not isinstance(tags, list) or not all(isinstance(tag, str) for tag in tags):
            raise self._transport.unavailable("sends no list of tags")
        return tags

    def delete(self, digest: str) -> None:
        """Remove a manifest; a registry that does not support it keeps its images."""
        path = f"manifests/{check_digest(digest)}"
        self._ask("DELETE", path, expected=(_NOT_FOUND, _NOT_ALLOWED))

    def _ask(self, method: str, path: str, **options: Unpack[Options]) -> Response:
        url = f"{self._path}/{path}"
        return self._transport.retry(partial(self._transport.send, method, url, **options))

    def _get(self, path: str, **options: Unpack[Options]) -> bytes:
        response = self._ask("GET", path, **options)
        if response.status != _OK:
            raise self._missing(path.rpartition("/")[2])
        return response.content

    def _missing(self, digest: str) -> StoredImageError:
        place = f"{self.location.host}/{self.location.name}"
        return StoredImageError("ImageNotFound", f"{digest} is not in {place}")

    def _unexpected(self, what: str, status: int) -> RejectedError:
        message = f"the registry {self.location.host} responds with {status} to {what}"
        return RejectedError("RegistryRefused", message)


def _has_error(response: Response, code: str) -> bool:
    """Whether it is among the errors of a response (distribution-spec 1.1, "Error Codes")."""
    if response.status < _BAD_REQUEST:
        return False
    errors = (parse_object(response.content) or {}).get("errors")
    if not isinstance(errors, list):
        return False
    return any(isinstance(each, dict) and each.get("code") == code for each in errors)
