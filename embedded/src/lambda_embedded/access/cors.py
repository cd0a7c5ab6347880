"""CORS: without these headers, browsers hide responses from the allowed pages.

https://fetch.spec.whatwg.org/#http-cors-protocol
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiohttp import hdrs, web

if TYPE_CHECKING:
    from lambda_embedded.access.access import Access

_MAX_AGE_SECONDS = "600"
_PRIVATE_NETWORK = "Access-Control-{}-Private-Network"


def add_cors(application: web.Application, access: Access) -> None:
    """Let the allowed pages read every response of an application."""
    if not access.origins:
        return

    async def allow(request: web.Request, response: web.StreamResponse) -> None:
        origin = request.headers.get(hdrs.ORIGIN, "")
        # A function knows best who may read its response.
        if hdrs.ACCESS_CONTROL_ALLOW_ORIGIN in response.headers:
            return
        response.headers.add(hdrs.VARY, hdrs.ORIGIN)
        if origin.lower() in access.origins:
            response.headers[hdrs.ACCESS_CONTROL_ALLOW_ORIGIN] = origin
            response.headers[hdrs.ACCESS_CONTROL_ALLOW_CREDENTIALS] = "true"
            response.headers[hdrs.ACCESS_CONTROL_EXPOSE_HEADERS] = ", ".join(
                name for name in response.headers if not name.lower().startswith("access-control-")
            )

    application.on_response_prepare.append(allow)


def preflight(request: web.Request, access: Access) -> web.Response | None:
    """Return the response to a preflight request of an allowed page; None for any other request."""
    method = request.headers.get(hdrs.ACCESS_CONTROL_REQUEST_METHOD)
    origin = request.headers.get(hdrs.ORIGIN, "")
    is_allowed = origin.lower() in access.origins
    if request.method != hdrs.METH_OPTIONS or method is None or not is_allowed:
        return None
    headers: dict[str, str] = {
        hdrs.ACCESS_CONTROL_ALLOW_METHODS: method,
        hdrs.ACCESS_CONTROL_MAX_AGE: _MAX_AGE_SECONDS,
    }
    wanted = request.headers.get(hdrs.ACCESS_CONTROL_REQUEST_HEADERS)
    if wanted is not None:
        headers[hdrs.ACCESS_CONTROL_ALLOW_HEADERS] = wanted
    if request.headers.get(_PRIVATE_NETWORK.format("Request")) == "true":
        headers[_PRIVATE_NETWORK.format("Allow")] = "true"
    return web.Response(status=204, headers=headers)
