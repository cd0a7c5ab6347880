"""Objects in S3 or any server that speaks its protocol: `s3://bucket/key`."""

from __future__ import annotations

import re
import threading
from base64 import b64encode
from contextlib import closing, suppress
from dataclasses import KW_ONLY, dataclass, field
from datetime import timedelta
from ipaddress import IPv4Address
from typing import TYPE_CHECKING, Any, Final, cast
from urllib.parse import urlsplit

from pydantic import SecretStr

from knative_lambda.domain.errors import StorageUnavailableError, UnsupportedSourceError
from knative_lambda.domain.storage import SignedPut, StoredObject, Upload

from .copying import CHUNK_BYTES, copy_limited, require_size
from .s3_errors import s3_errors
from .uri import more_than, require_object_key, require_prefix, shown

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from typing import BinaryIO

    from botocore.response import StreamingBody
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import ListObjectsV2OutputTypeDef

_URI: Final = re.compile(r"s3://([^/]*)(?:/(.*))?", re.IGNORECASE | re.DOTALL)
_BUCKET: Final = re.compile(r"[a-z0-9](?!.*\.\.)[a-z0-9.-]{1,61}[a-z0-9]")
_LONGEST_VALIDITY: Final = timedelta(days=7)
# In a form, S3 puts the name of the sender's file in its place.
_FORM_VARIABLE: Final = "${filename}"
# A thousand, the most that S3 gives at once, take 3 MiB more while they are read.
_PAGE: Final = 250


@dataclass(frozen=True, kw_only=True, slots=True)
class S3Connection:
    """Where and how to reach S3; without keys, boto3 looks for credentials in its usual places.

    The bucket is part of the path at an endpoint of yours, and of the host name at AWS;
    `path_style` overrides that. A server without POST policies cannot bound the size of an upload.
    """

    endpoint_url: str | None = None
    region: str | None = None
    path_style: bool | None = None
    post_policy: bool = True
    access_key: SecretStr | str | None = field(default=None, repr=False)
    secret_key: SecretStr | str | None = field(default=None, repr=False)
    connect_timeout: timedelta = timedelta(seconds=2)
    read_timeout: timedelta = timedelta(seconds=15)
    max_attempts: int = 3

    def __post_init__(self) -> None:
        """Reject what could only fail later, with the first event."""
        if (self.access_key is None) != (self.secret_key is None):
            raise ValueError("access_key, secret_key: set both or neither")
        if self.endpoint_url is not None:
            parts = urlsplit(self.endpoint_url)
            if parts.scheme not in {"http", "https"} or not parts.hostname or "@" in parts.netloc:
                raise ValueError("endpoint_url: must be http(s)://host[:port] without user name")

    @property
    def name(self) -> str:
        """The name for logs and messages: its host, or s3."""
        return urlsplit(self.endpoint_url).netloc if self.endpoint_url else "s3"

    def client(self) -> S3Client:
        """Make a client; nothing is sent."""
        # Here and not above: a third of a second that a cold start without S3 saves.
        import boto3  # noqa: PLC0415
        from botocore.config import Config  # noqa: PLC0415

        has_endpoint = self.endpoint_url is not None
        path_style = has_endpoint if self.path_style is None else self.path_style
        config = Config(
            signature_version="s3v4",
            retries={"mode": "standard", "total_max_attempts": self.max_attempts},
            connect_timeout=self.connect_timeout.total_seconds(),
            read_timeout=self.read_timeout.total_seconds(),
            s3={"addressing_style": "path" if path_style else "virtual"},
            # Trailing checksums are unknown to many servers that speak S3.
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
        )
        # A session of its own: boto3's default one is not safe to share between threads.
        client = boto3.Session().client(
            "s3",
            endpoint_url=self.endpoint_url,
            region_name=self.region,
            aws_access_key_id=_revealed(self.access_key),
            aws_secret_access_key=_revealed(self.secret_key),
            config=config,
        )
        return cast("S3Client", client)


class S3Storage:
    """`ObjectStorage` on S3; safe to share between threads, connects with the first request."""

    def __init__(self, connection: S3Connection, *, page_size: int = _PAGE) -> None:
        self._connection = connection
        self._page_size = page_size
        self._shared_client: S3Client | None = None
        self._lock = threading.Lock()

    def describe(self, uri: str) -> StoredObject:
        """Size and time of one object; `SourceNotFoundError` where there is none."""
        place = _object_at(uri)
        with s3_errors(shown(uri), bucket=place.bucket):
            head = self._client().head_object(Bucket=place.bucket, Key=place.key)
        return _stored_object(uri, head.get("ContentLength"), head.get("LastModified"))

    def list(self, prefix: str, *, limit: int) -> Iterator[StoredObject]:
        """Objects below a prefix, by ascending URI; requests no more pages than `limit` needs.

        Objects whose key ends in `/` stand for folders in some tools and are left out.
        """
        place = _place(prefix)
        require_prefix(prefix, place.key)
        files = folders = 0
        for item in self._items(prefix, place, page=min(self._page_size, limit + 1)):
            key = item["Key"]
            folders += key.endswith("/")
            files += not key.endswith("/")
            if files > limit or folders > limit + 1:
                raise more_than(limit, prefix)
            if not key.endswith("/"):
                yield _stored_object(
                    prefix + key[len(place.key) :],
                    item.get("Size"),
                    item.get("LastModified"),
                )

    def read(self, uri: str, target: BinaryIO, *, max_bytes: int) -> int:
        """Copy one object into `target`; a larger one is rejected before its content is read."""
        place = _object_at(uri)
        with s3_errors(shown(uri), bucket=place.bucket):
            response = self._client().get_object(Bucket=place.bucket, Key=place.key)
        with closing(response["Body"]) as body:
            require_size(response.get("ContentLength", 0), max_bytes=max_bytes, uri=uri)
            chunks = _chunks(body, uri, place.bucket)
            return copy_limited(chunks, target, max_bytes=max_bytes, uri=uri)

    def write(self, uri: str, source: BinaryIO) -> None:
        """Store all of `source` in one request, so that readers never see a part of it."""
        place = _object_at(uri)
        with s3_errors(shown(uri), bucket=place.bucket):
            self._client().put_object(Bucket=place.bucket, Key=place.key, Body=source)

    def delete(self, uri: str) -> None:
        """Remove one object; one that is not there is removed already."""
        place, client = _object_at(uri), self._client()
        # S3 itself never says that it is not there; some servers do when two deletions meet.
        gone = suppress(client.exceptions.NoSuchKey)
        with s3_errors(shown(uri), bucket=place.bucket), gone:
            client.delete_object(Bucket=place.bucket, Key=place.key)

    def download_url(self, uri: str, *, expires_in: timedelta) -> str:
        """Return a presigned URL, valid for at most seven days; no request is made."""
        return self._presigned("get_object", uri, _validity(expires_in))

    def upload_url(self, uri: str, *, expires_in: timedelta, max_bytes: int) -> Upload:
        """Return a form to POST, which S3 refuses to take more than `max_bytes` with.

        Without POST policies, a presigned URL to PUT any size to; of one whose connection breaks,
        some servers keep what arrived. Valid for at most seven days; no request is made.
        """
        seconds = _validity(expires_in)
        if not self._connection.post_policy:
            return Upload(url=self._presigned("put_object", uri, seconds))
        place = _object_at(uri)
        if _FORM_VARIABLE in place.key:
            raise UnsupportedSourceError(f"{shown(uri)} cannot be uploaded: its key has a variable")
        with s3_errors(shown(uri), bucket=place.bucket):
            form = self._client().generate_presigned_post(
                place.bucket,
                place.key,
                Conditions=[["content-length-range", 0, max_bytes]],
                ExpiresIn=seconds,
            )
        return Upload(url=form["url"], fields=form["fields"])

    def signed_put(
        self, uri: str, *, expires_in: timedelta, size_bytes: int, sha256: str
    ) -> SignedPut | None:
        """Return a presigned PUT whose length and checksum are signed; no request is made."""
        checksum = b64encode(bytes.fromhex(sha256)).decode()
        signed = {"ContentLength": size_bytes, "ChecksumSHA256": checksum}
        url = self._presigned("put_object", uri, _validity(expires_in), **signed)
        headers = {"Content-Length": str(size_bytes), "x-amz-checksum-sha256": checksum}
        return SignedPut(url=url, headers=headers)

    def _presigned(self, operation: str, uri: str, seconds: int, **signed: object) -> str:
        place = _object_at(uri)
        with s3_errors(shown(uri), bucket=place.bucket):
            return self._client().generate_presigned_url(
                operation,
                Params={"Bucket": place.bucket, "Key": place.key, **signed},
                ExpiresIn=seconds,
            )

    def _client(self) -> S3Client:
        with self._lock:
            if self._shared_client is None:
                self._shared_client = self._connection.client()
            return self._shared_client

    def _items(self, prefix: str, place: _Place, *, page: int) -> Iterator[Any]:
        request: dict[str, Any] = {"Bucket": place.bucket, "Prefix": place.key, "MaxKeys": page}
        while True:
            with s3_errors(shown(prefix), bucket=place.bucket):
                response: ListObjectsV2OutputTypeDef = self._client().list_objects_v2(**request)
            yield from response.get("Contents", ())
            token = response.get("NextContinuationToken")
            if not response.get("IsTruncated") or not token:
                return
            request["ContinuationToken"] = token


@dataclass(frozen=True, slots=True)
class _Place:
    bucket: str
    _: KW_ONLY
    key: str


def _place(uri: str) -> _Place:
    match = _URI.fullmatch(uri)
    if match is None:
        raise UnsupportedSourceError(f"{shown(uri)} must have the form s3://bucket/key")
    bucket, key = match.groups(default="")
    if not _BUCKET.fullmatch(bucket) or _is_address(bucket):
        raise UnsupportedSourceError(
            f"{shown(uri)} has no valid bucket name: 3 to 63 of a-z, 0-9, '-' and '.', "
            "with a letter or digit at both ends",
        )
    return _Place(bucket, key=key)


def _object_at(uri: str) -> _Place:
    place = _place(uri)
    require_object_key(uri, place.key)
    return place


def _stored_object(uri: str, size: int | None, modified_at: datetime | None) -> StoredObject:
    if size is None or modified_at is None:
        raise StorageUnavailableError(
            f"The response for {shown(uri)} lacks its size or time: does the endpoint speak S3?",
        )
    return StoredObject(uri=uri, size_bytes=size, modified_at=modified_at)


def _validity(expires_in: timedelta) -> int:
    if not timedelta() < expires_in <= _LONGEST_VALIDITY:
        raise ValueError("expires_in: must be more than nothing and at most seven days")
    return max(1, int(expires_in.total_seconds()))


def _is_address(bucket: str) -> bool:
    try:
        IPv4Address(bucket)
    except ValueError:
        return False
    return True


def _chunks(body: StreamingBody, uri: str, bucket: str) -> Iterator[bytes]:
    while True:
        with s3_errors(shown(uri), bucket=bucket):
            chunk = body.read(CHUNK_BYTES)
        if not chunk:
            return
        yield chunk


def _revealed(secret: SecretStr | str | None) -> str | None:
    return secret.get_secret_value() if isinstance(secret, SecretStr) else secret
