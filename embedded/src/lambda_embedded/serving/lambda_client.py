"""The HTTP client that calls the processes of lambdas."""

from __future__ import annotations

import aiohttp

_LONGEST_HEADER = 16 * 1024
_NO_TIMEOUT = aiohttp.ClientTimeout(total=None)


def new_session() -> aiohttp.ClientSession:
    """Return a client that adds nothing to requests and keeps connections to processes."""
    session = aiohttp.ClientSession(
        # Servers close idle connections too (gunicorn after 2 s): close them earlier.
        connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=1.0),
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,
        timeout=_NO_TIMEOUT,
        max_line_size=_LONGEST_HEADER,
        max_field_size=_LONGEST_HEADER,
        skip_auto_headers=("User-Agent", "Accept", "Accept-Encoding", "Content-Type"),
    )
    # aiohttp sends a GET again when the connection breaks; a lambda may have acted on the first.
    session._retry_connection = False  # noqa: SLF001
    return session
