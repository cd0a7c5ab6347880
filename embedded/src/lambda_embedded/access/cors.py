"""What pages that were let in have to be told, or their browsers keep the answers from them.

https://fetch.spec.whatwg.org/#http-cors-protocol
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiohttp import hdrs, web

if TYPE_CHECKING:
    from lambda_embedded.access.access import Access

_ASKED_AGAIN_SECONDS = "600"
_PRIVATE_NETWORK = "Access-Control-{}-Private-Network"


def add_cors(application: web.Application, access: Access) -> None:
    """Let the allowed pages read every answer of an application."""
    if not access.origins:
        return

    async def allow(request: web.Request, response: web.StreamResponse) -> None:
        origin = request.headers.get(hdrs.ORIGIN, "")
        # What a function says of its own answer is better informed.
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
    """Answer the question that a browser asks before a page's request; None of anything else."""
    asked = request.headers.get(hdrs.ACCESS_CONTROL_REQUEST_METHOD)
    origin = request.headers.get(hdrs.ORIGIN, "")
    if request.method != hdrs.METH_OPTIONS or asked is None or origin.lower() not in access.origins:
        return None
    headers: dict[str, str] = {
        hdrs.ACCESS_CONTROL_ALLOW_METHODS: asked,
        hdrs.ACCESS_CONTROL_MAX_AGE: _ASKED_AGAIN_SECONDS,
    }
    wanted = request.headers.get(hdrs.ACCESS_CONTROL_REQUEST_HEADERS)
    if wanted is not None:
        headers[hdrs.ACCESS_CONTROL_ALLOW_HEADERS] = wanted
    if request.headers.get(_PRIVATE_NETWORK.format("Request")) == "true":
        headers[_PRIVATE_NETWORK.format("Allow")] = "true"
    return web.Response(status=204, headers=headers)
