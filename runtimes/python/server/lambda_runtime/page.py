"""The page for people who open the address of a `cloudevent` function in a browser.

What a request says about its address is used only where it looks like one; all of the page is safe
to paste into a shell.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from lambda_runtime.responses import Response

if TYPE_CHECKING:
    from lambda_runtime.responses import Scope
    from lambda_runtime.settings import Settings

# As in page.js of the Node.js runtime; one test holds both to the same pages.
_ACCEPTS_HTML = re.compile(
    r"(?:^|,)\s*text/html\s*(?:,|$|;(?!\s*q=0(?:\.0*)?\s*(?:,|$)))", re.ASCII | re.IGNORECASE
)
_HOST = re.compile(r"(?:[A-Za-z0-9.-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]{1,5})?")
# The embedded gateway's, which serves each function below a path of its own.
_PREFIX = re.compile(r"(?:/[a-z0-9-]{1,63}){2}")
_UNKNOWN_ADDRESS = "http://THE-ADDRESS-OF-THIS-PAGE"
_ENTITIES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;"})
# The hash is that of the page's <style>, the only thing that it may use.
_POLICY = (
    b"default-src 'none'; style-src 'sha256-TAsqCibHfs41xyPYvW+mNTiIqtRcDkt6C1aeUs6JUWk=';"
    b" img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


def page_response(scope: Scope, settings: Settings) -> Response | None:
    """The page, for GET and HEAD of a browser; None for everything else."""
    if scope["method"] not in ("GET", "HEAD") or not _ACCEPTS_HTML.search(
        _header(scope, b"accept")
    ):
        return None
    body = _page(_address(scope), settings).encode()
    headers = [
        (b"content-type", b"text/html; charset=utf-8"),
        (b"content-length", b"%d" % len(body)),
        (b"content-security-policy", _POLICY),
        (b"x-content-type-options", b"nosniff"),
        (b"referrer-policy", b"no-referrer"),
        (b"cache-control", b"no-store"),
    ]
    return Response(200, headers, body)


def _page(address: str, settings: Settings) -> str:
    # No import: modules of the source may have the names of the standard library's.
    with open(f"{os.path.dirname(__file__)}/page.html", encoding="utf-8") as file:  # noqa: PTH120, PTH123
        page = file.read()
    flags = "" if settings.namespace == "default" else f" -n {settings.namespace}"
    for mark, value in (
        ("%NAME%", settings.name),
        ("%NAMESPACE%", settings.namespace),
        ("%FLAGS%", flags),
        ("%ADDRESS%", address),
    ):
        page = page.replace(mark, value.translate(_ENTITIES))
    return page


def _address(scope: Scope) -> str:
    host = _header(scope, b"host")
    if not _HOST.fullmatch(host):
        return _UNKNOWN_ADDRESS
    scheme = "https" if _header(scope, b"x-forwarded-proto") == "https" else "http"
    prefix = _header(scope, b"x-forwarded-prefix")
    return f"{scheme}://{host}{prefix if _PREFIX.fullmatch(prefix) else '/'}"


def _header(scope: Scope, name: bytes) -> str:
    """Headers of one name, which is one header to be ignored where there may be one only."""
    return ", ".join(value.decode("latin-1") for key, value in scope["headers"] if key == name)
