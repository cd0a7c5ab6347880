"""The only place that npm reaches: the index, and addresses that are allowed, each checked here."""

from __future__ import annotations

import hmac
import json
import secrets
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import quote, unquote, urlsplit

from asked_versions import NAME, AskedVersion, read_asked_version
from git_packages import archive_of
from installer_errors import RecipeError, cut
from package_index import tarball
from proxy_server import NotServedError, ProxyServer
from source_policy import NO_ADDRESS, refused
from translation import ADDRESS, TARBALL, WITHOUT_HASH, path_decoded
from upstream import NotFetchedError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from email.message import Message

    from package_index import PackageIndex, PackageIndexes
    from proxy_server import Reply
    from source_policy import SourcePolicy
    from translation import Translation
    from upstream import Upstream
    from urllib3.response import BaseHTTPResponse

_MAX_METADATA_BYTES = 256 * 1024 * 1024
_ASKED_OF_INDEX = ("accept", "if-none-match", "if-modified-since")
_TOLD_BY_INDEX = ("etag", "last-modified", "cache-control", "vary", "retry-after")


class IndexProxy:
    """Serves npm while it is entered; knows afterwards what it did not serve, and why."""

    def __init__(
        self,
        *,
        upstream: Upstream,
        indexes: PackageIndexes,
        policy: SourcePolicy,
        translation: Translation,
        environment: Mapping[str, str],
    ) -> None:
        self._upstream = upstream
        self.indexes = indexes
        self._policy = policy
        self.translation = translation
        self._environment = environment
        # Others on this machine can connect as well, and the index's credential is here.
        self._token = secrets.token_urlsafe(32)
        self._asked_by: dict[str, str] = {}
        self._refusals: list[RecipeError] = []
        self._failures: dict[str, RecipeError] = {}

    def __enter__(self) -> Self:
        """Listen on a port of loopback."""
        self._server = ProxyServer(self)
        return self

    def __exit__(self, *_: object) -> None:
        """Stop serving."""
        self._server.close()

    @property
    def credential(self) -> str:
        """The line of npm's settings without which nothing is served."""
        return f"//{self.translation.host}/:_authToken={self._token}\n"

    @property
    def url(self) -> str:
        """Where npm finds it."""
        return self._server.url

    @property
    def refusal(self) -> RecipeError | None:
        """What was asked for and not allowed, even if npm could do without it."""
        return self._refusals[0] if self._refusals else None

    @property
    def failure(self) -> RecipeError | None:
        """An allowed address that gave nothing."""
        return next(iter(self._failures.values()), None)

    def refuse(self, address: str, problem: str) -> NotServedError:
        """Remember that npm asked for this address."""
        who = self._asked_by.get(self.translation.address(address), "a package of the index")
        error = refused(who, address, problem)
        self._refusals.append(error)
        return NotServedError(HTTPStatus.FORBIDDEN, error.message)

    def _refuse_without_hash(self, name: str) -> NotServedError:
        message = (
            f"{cut(ascii(name))} is said to come with another package, which does not have it, and"
            " packages without hashes are not allowed here"
        )
        error = RecipeError("HashesRequired", message)
        self._refusals.append(error)
        return NotServedError(HTTPStatus.FORBIDDEN, error.message)

    def respond(self, url: str, request: Message, reply: Reply) -> None:
        """Serve one address of the registry that npm sees, and no other."""
        parts = urlsplit(url)
        if parts.hostname != self.translation.host:
            raise self.refuse(url, "is neither the package index nor allowed here")
        shown = request.get("authorization", "")
        if not hmac.compare_digest(shown.encode(), f"Bearer {self._token}".encode()):
            raise NotServedError(HTTPStatus.UNAUTHORIZED, "is for this build's installer alone")
        path = parts.path.removeprefix("/")
        if path.startswith(ADDRESS):
            self._serve_address(path_decoded(path.removeprefix(ADDRESS)) or "", reply)
        elif path.startswith(TARBALL):
            self._serve_tarball(path_decoded(path.removeprefix(TARBALL)) or "", reply)
        elif path.startswith(WITHOUT_HASH):
            raise self._refuse_without_hash(path_decoded(path.removeprefix(WITHOUT_HASH)) or "")
        elif found := tarball(unquote(path)):
            self._serve_named(*found, reply)
        elif NAME.fullmatch(name := unquote(path)):
            self._serve_metadata(name, request, reply)
        else:
            raise NotServedError(HTTPStatus.NOT_FOUND, "is no path of a registry")

    def _serve_address(self, text: str, reply: Reply) -> None:
        asked = read_asked_version(text)
        if asked.kind in {"version", "local"} or asked.address is None:
            raise self.refuse(text, NO_ADDRESS)
        if problem := self._policy.problem(asked):
            raise self.refuse(text, problem)
        try:
            if asked.kind == "git":
                reply.send(archive_of(asked, self._environment))
            else:
                self._send_file(asked, reply)
        except RecipeError as error:
            self._failures[text] = error
            raise NotServedError(HTTPStatus.NOT_FOUND, error.message) from error
        self._failures.pop(text, None)

    def _send_file(self, asked: AskedVersion, reply: Reply) -> None:
        def may_follow(url: str) -> bool:
            target = type(asked.address).parse(url) if asked.address else None
            return target is not None and self._policy.allows(target)

        url = asked.address.url if asked.address else ""
        try:
            response = self._upstream.get(url, headers=lambda _: {}, may_follow=may_follow)
        except NotFetchedError as error:
            message = f"{asked.address} cannot be read: {error}"
            raise RecipeError("PackageSourceUnavailable", message) from error
        if response.status != HTTPStatus.OK:
            response.close()
            message = f"{asked.address} cannot be read: its server answers {response.status}"
            raise RecipeError("PackageSourceUnavailable", message)
        reply.stream(response)

    def _serve_named(self, name: str, file: str, reply: Reply) -> None:
        index = self.indexes.of(name)
        response = self._of_index(index, f"{index.url}{_escaped(name)}/-/{quote(file)}")
        if response.status == HTTPStatus.NOT_FOUND:
            response.close()
            # Its files are elsewhere: it says itself where.
            version = file.removeprefix(f"{name.rpartition('/')[2]}-").removesuffix(".tgz")
            versions = self._metadata(name, None, reply).get("versions", {})
            self._serve_tarball(
                str(versions.get(version, {}).get("dist", {}).get("tarball")), reply
            )
            return
        _require_found(response)
        reply.stream(response)

    def _serve_tarball(self, url: str, reply: Reply) -> None:
        index = next((each for each in self.indexes.all() if each.is_on_host_of(url)), None)
        if index is None:
            raise NotServedError(HTTPStatus.NOT_FOUND, "the index has no such file")
        own = next((each for each in self.indexes.all() if each.has(url)), index)
        response = self._of_index(own, url)
        _require_found(response)
        reply.stream(response)

    def _serve_metadata(self, name: str, request: Message | None, reply: Reply) -> None:
        document = self._metadata(name, request, reply)
        versions = document.get("versions")
        for number, package in versions.items() if isinstance(versions, dict) else ():
            if not isinstance(package, dict):
                continue
            for wanted, told in self.translation.ranges(package):
                self._asked_by.setdefault(told, f"{name} {number}: {wanted}")
            file = package.get("dist")
            if isinstance(file, dict) and isinstance(file.get("tarball"), str):
                file["tarball"] = self.translation.tarball(file["tarball"])
        reply.send(json.dumps(document).encode(), "application/json")

    def _metadata(self, name: str, request: Message | None, reply: Reply) -> dict[str, Any]:
        index = self.indexes.of(name)
        asked = {field: request[field] for field in _ASKED_OF_INDEX if request and field in request}
        asked["accept-encoding"] = "gzip"
        response = self._of_index(index, index.url + _escaped(name).replace("/", "%2f"), asked)
        told = {
            field: response.headers[field] for field in _TOLD_BY_INDEX if field in response.headers
        }
        reply.headers.update(told)
        _require_found(response)
        content = response.read(_MAX_METADATA_BYTES + 1, decode_content=True)
        response.release_conn()
        try:
            document = json.loads(content) if len(content) <= _MAX_METADATA_BYTES else None
        except (ValueError, RecursionError):
            document = None
        if not isinstance(document, dict):
            raise NotServedError(
                HTTPStatus.BAD_GATEWAY, "the index answers with something else than a package"
            )
        return document

    def _of_index(
        self, index: PackageIndex, url: str, asked: Mapping[str, str] | None = None
    ) -> BaseHTTPResponse:
        def headers(place: str) -> dict[str, str]:
            authorization = index.authorization if index.has(place) else None
            return {**(asked or {}), **({"authorization": authorization} if authorization else {})}

        try:
            # Many an index keeps its files on servers of their own.
            return self._upstream.get(url, headers=headers, may_follow=_is_http)
        except NotFetchedError as error:
            raise NotServedError(
                HTTPStatus.BAD_GATEWAY, f"the index does not answer: {error}"
            ) from error


def _require_found(response: BaseHTTPResponse) -> None:
    if response.status != HTTPStatus.OK:
        response.close()
        raise NotServedError(response.status, f"the index answers {response.status}")


def _escaped(name: str) -> str:
    return quote(name, safe="@/")


def _is_http(url: str) -> bool:
    return urlsplit(url).scheme in {"http", "https"}
