"""Uploads archives of sources to the object storage of an installation."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path
from typing import TYPE_CHECKING

from kn_lambda.errors import CommandError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from knative_lambda.domain.names import FunctionId
    from knative_lambda.ports import ObjectStorage


_FILE = "file://"


def upload_url(settings: Mapping[str, str]) -> str:
    """Return the URL for uploads, without a trailing `/`."""
    url = settings.get("KN_LAMBDA_UPLOAD_URL", "").rstrip("/")
    if not url:
        raise CommandError(
            "the installation has no storage for uploads: KN_LAMBDA_UPLOAD_URL is not set",
            hint="Upload the source yourself and pass its URI with --source.",
        )
    return url


def upload_storage(settings: Mapping[str, str]) -> ObjectStorage:
    """Open the storage for uploads; S3 with the credentials of the user."""
    from knative_lambda.adapters.storage import S3Connection, open_storage  # noqa: PLC0415

    url = upload_url(settings)
    if url.startswith(_FILE):
        return open_storage(file_roots=[Path(url.removeprefix(_FILE))])
    return open_storage(
        s3=S3Connection(
            endpoint_url=settings.get("KN_LAMBDA_S3_ENDPOINT_URL"),
            region=settings.get("KN_LAMBDA_S3_REGION", "us-east-1"),
        )
    )


def upload_archive(settings: Mapping[str, str], function: FunctionId, archive: bytes) -> str:
    """Store an archive under the hash of its content and return its URI."""
    name = f"{hashlib.sha256(archive).hexdigest()}.zip"
    uri = f"{upload_url(settings)}/{function.namespace}/{function.name}/{name}"
    upload_storage(settings).write(uri, io.BytesIO(archive))
    return uri
