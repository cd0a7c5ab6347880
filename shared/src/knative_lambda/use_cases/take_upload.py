"""Sources on their way into storage, from people who have no key to it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, BinaryIO, Final

from knative_lambda.domain.caller import LAMBDA_FUNCTIONS, Right
from knative_lambda.domain.errors import (
    ForbiddenError,
    InvalidRequestError,
    LimitExceededError,
    UnsupportedSourceError,
)
from knative_lambda.domain.lambda_function import API_GROUP
from knative_lambda.domain.lambda_views import StoredUpload, UploadAddress
from knative_lambda.domain.names import FunctionId

if TYPE_CHECKING:
    from knative_lambda.domain.lambda_views import UploadRequest
    from knative_lambda.domain.storage import SignedPut
    from knative_lambda.ports import CallersCluster, Clock, ObjectStorage

VALID_FOR: Final = timedelta(minutes=15)
_VERBS = ("create", "update", "patch")


@dataclass(frozen=True, kw_only=True, slots=True)
class TakeUpload:
    """One key per content, below the folder of the tenant: nobody can overwrite what another sent.

    Whoever may write a lambda's record may store a source for it; Kubernetes says who that is.
    """

    storage: ObjectStorage
    clock: Clock
    upload_url: str | None
    max_bytes: int

    def __call__(
        self, cluster: CallersCluster, namespace: str, request: UploadRequest
    ) -> UploadAddress:
        """Return where to PUT exactly this content; stores nothing."""
        function = FunctionId(namespace, request.name)
        self.check(cluster, function, request.size)
        uri = self._uri(function, request.sha256)
        put = self._sign(uri, request.size, request.sha256)
        return UploadAddress(
            # Where storage cannot sign, `store` takes it, with the caller's token.
            url=put.url if put else f"uploads/{request.name}/{request.sha256}",
            headers=put.headers if put else {"Content-Length": str(request.size)},
            expires=self.clock.now() + VALID_FOR,
            uri=uri,
        )

    def check(self, cluster: CallersCluster, function: FunctionId, size: int) -> None:
        """Raise unless the caller may store that much for this lambda."""
        if not any(cluster.may(function.namespace, right) for right in _rights(function.name)):
            raise ForbiddenError(
                f"a source for {function} needs the right to create, update or patch"
                f" {LAMBDA_FUNCTIONS}.{API_GROUP} in {function.namespace}"
            )
        if size > self.max_bytes:
            raise LimitExceededError(
                f"a source may have {self.max_bytes} bytes, this one has {size}; leave out what"
                " the function does not need",
                field="size",
            )

    def check_content(
        self, cluster: CallersCluster, function: FunctionId, sha256: str, size: int
    ) -> None:
        """Raise unless the caller may send such content here, and not to storage itself."""
        self.check(cluster, function, size)
        if self._sign(self._uri(function, sha256), size, sha256):
            raise UnsupportedSourceError("ask for an upload, and send the content to its address")

    def store(
        self, function: FunctionId, sha256: str, found: str, content: BinaryIO
    ) -> StoredUpload:
        """Store content whose SHA-256 was `found`; of any other nothing is stored."""
        if found != sha256:
            raise InvalidRequestError(
                f"the content has the SHA-256 {found}, not that of its address", field="sha256"
            )
        uri = self._uri(function, sha256)
        self.storage.write(uri, content)
        return StoredUpload(uri=uri)

    def _sign(self, uri: str, size: int, sha256: str) -> SignedPut | None:
        return self.storage.signed_put(uri, expires_in=VALID_FOR, size_bytes=size, sha256=sha256)

    def _uri(self, function: FunctionId, sha256: str) -> str:
        if self.upload_url is None:
            raise UnsupportedSourceError(
                "this installation has no storage for uploads: KN_LAMBDA_UPLOAD_URL is not set"
            )
        return f"{self.upload_url}{function.namespace}/{function.name}/{sha256}.zip"


def _rights(name: str) -> list[Right]:
    return [
        # A name that does not exist yet cannot be granted.
        Right(
            verb=verb,
            group=API_GROUP,
            resource=LAMBDA_FUNCTIONS,
            name="" if verb == "create" else name,
        )
        for verb in _VERBS
    ]
