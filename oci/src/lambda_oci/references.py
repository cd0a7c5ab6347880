"""URLs that name an image repository, or one image of it by digest."""

from __future__ import annotations

import re
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from lambda_oci.errors import RejectedError

if TYPE_CHECKING:
    from urllib.parse import SplitResult

_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")
_COMPONENT = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_NAME = re.compile(rf"{_COMPONENT}(?:/{_COMPONENT})*")
_DEFAULT_PORTS = {"http": 80, "https": 443}
_PORTS_OF_SCHEMES = {"", "80", "443"}
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?"
_HOST_NAME = re.compile(rf"{_LABEL}(?:\.{_LABEL})*(?::[0-9]+)?")
_IMAGE_NAME = re.compile(rf"{_NAME.pattern}(?::{_TAG.pattern})?@{_DIGEST.pattern}")
_NUMBERS = re.compile(r"[0-9][0-9a-fx.]*")
DOCKER_IO = "docker.io"
# The host names of Docker Hub.
DOCKER_HUB = {DOCKER_IO, "index.docker.io", "registry-1.docker.io", "registry.hub.docker.com"}


def invalid_reference(message: str) -> RejectedError:
    """The error for a name that no registry accepts."""
    return RejectedError("InvalidImageReference", message)


@dataclass(frozen=True, slots=True)
class LayoutLocation:
    """A repository in a folder of this machine."""

    folder: Path


@dataclass(frozen=True, slots=True)
class RegistryLocation:
    """A repository of a registry; `origin` is scheme, host and port."""

    origin: str
    name: str

    @property
    def host(self) -> str:
        """Host and port."""
        return urlsplit(self.origin).netloc


Location = LayoutLocation | RegistryLocation


def parse_repository(url: str) -> Location:
    """Where `http(s)://host[:port]/repository` or `file:///folder/repository` is."""
    parts = _split(url)
    if parts.query or parts.fragment or parts.username or parts.password:
        raise invalid_reference("an image URL has no user, password, query or fragment")
    if parts.scheme == "file" and parts.netloc in {"", "localhost"} and len(parts.path) > 1:
        return LayoutLocation(Path(unquote(parts.path)))
    if parts.scheme in _DEFAULT_PORTS and parts.netloc:
        name = parts.path.strip("/")
        if not _NAME.fullmatch(name):
            raise invalid_reference(f"{name!r} is not a valid repository name")
        return RegistryLocation(f"{parts.scheme}://{_host(parts)}", name)
    raise invalid_reference("an image URL starts with http://host/, https://host/ or file:///")


def parse_image(url: str) -> tuple[Location, str]:
    """Repository and digest of `<repository URL>@sha256:...`."""
    repository, at, digest = url.rpartition("@")
    if not at:
        raise invalid_reference("an image has to be named by digest: <repository URL>@sha256:...")
    return parse_repository(repository), check_digest(digest)


def normal_origin(url: str) -> str:
    """Scheme, host and port of a URL in canonical form."""
    parts = _split(url)
    return f"{parts.scheme}://{_host(parts)}"


def normal_host(url: str) -> str:
    """Host and port of a URL in canonical form: lower case, without the default port."""
    return _host(_split(url))


def normal_image(reference: str) -> str:
    """`host[:port]/repository@digest` in canonical form, for either scheme.

    To container runtimes `REGISTRY:0443/x` and `registry/x` are the same image, `10.1:5000/x` and
    `10.0.0.1:5000/x` too, and a name without a registry's host is one of Docker Hub.
    """
    first, slash, rest = reference.partition("/")
    host, colon, port = first.lower().partition(":")
    host, port = host.rstrip("."), port.lstrip("0")
    if colon or "." in host:
        host = _normal_address(host)
    if host in DOCKER_HUB:
        host = DOCKER_IO
    elif port not in _PORTS_OF_SCHEMES:
        host = f"{host}:{port}"
    elif "." not in host and host != "localhost":
        return f"{DOCKER_IO}/{host}{slash}{rest}"
    return f"{host}{slash}{rest}"


def is_image(reference: str) -> bool:
    """Whether container runtimes read this as an image by digest: `[host/]name[:tag]@sha256:...`.

    What they refuse, such as `host//name`, a lenient server may read as the name of another image.
    """
    first, slash, rest = reference.partition("/")
    # So they tell the host of a registry from the first part of a repository's name.
    if slash and (first != first.lower() or set(first) & {".", ":"}):
        return bool(_HOST_NAME.fullmatch(first) and _IMAGE_NAME.fullmatch(rest))
    return _IMAGE_NAME.fullmatch(reference) is not None


def is_digest(text: str) -> bool:
    """Whether this is a sha256 digest."""
    return _DIGEST.fullmatch(text) is not None


def check_digest(digest: str) -> str:
    """Return the digest if it is a sha256 one."""
    if not is_digest(digest):
        raise invalid_reference(f"{digest[:80]!r} is not a sha256 digest")
    return digest


def check_tag(tag: str) -> str:
    """Return the tag if registries accept it."""
    if not _TAG.fullmatch(tag):
        raise invalid_reference(f"{tag[:160]!r} is not a valid image tag")
    return tag


def _normal_address(host: str) -> str:
    """Return an IPv4 address with four decimal numbers, as resolvers read its short forms."""
    if _NUMBERS.fullmatch(host):
        try:
            return socket.inet_ntoa(socket.inet_aton(host))
        except OSError:
            pass
    return host


def _split(url: str) -> SplitResult:
    try:
        return urlsplit(url)
    except ValueError:
        raise invalid_reference("an image URL has an invalid host") from None


def _host(parts: SplitResult) -> str:
    host = parts.hostname or ""
    if ":" in host:
        host = f"[{host}]"
    try:
        port = parts.port
    except ValueError:
        raise invalid_reference("an image URL has an invalid port") from None
    return host if port in {None, _DEFAULT_PORTS.get(parts.scheme)} else f"{host}:{port}"
