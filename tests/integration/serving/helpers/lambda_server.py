"""A lambda for tests, on the standard library alone: it starts in a few hundredths of a second."""

# ruff: noqa: T201  # its output is its log
from __future__ import annotations

import errno
import json
import os
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

environment = dict(os.environ)  # noqa: TID251  # what a lambda sees is what is tested
under_way = 0
most_under_way = 0
lock = threading.Lock()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def handle_any(self) -> None:
        global under_way, most_under_way  # noqa: PLW0603  # one number per process
        with lock:
            under_way += 1
            most_under_way = max(most_under_way, under_way)
        print(self.command, self.path, flush=True)
        try:
            self.answer(urlsplit(self.path).path)
        finally:
            with lock:
                under_way -= 1

    do_GET = do_POST = do_HEAD = handle_any  # noqa: N815

    def answer(self, path: str) -> None:
        if path == "/health/readiness":
            needed = environment.get("READY_IF")
            if needed is not None and not Path(needed).exists():
                self.send_error(503)
            else:
                self.reply("ok")
        elif path.startswith("/wait/"):
            # Until the test makes the file: no clock decides who is first.
            file = Path(path.removeprefix("/wait"))
            while not file.exists():
                time.sleep(0.005)
            self.reply("waited")
        elif path == "/crash":
            print("the handler took the process down", file=sys.stderr, flush=True)
            os._exit(7)
        elif path == "/stream":
            self.stream()
        elif path.startswith("/status/"):
            self.send_response(int(path.removeprefix("/status/")))
            self.send_header("Set-Cookie", "a=1")
            self.send_header("Set-Cookie", "b=2")
            self.send_header("Connection", "X-Hop")
            self.send_header("X-Hop", "1")
            self.end_headers()
        elif path == "/echo":
            self.reply(self.body(), self.headers.get("Content-Type", "text/plain"))
        else:
            self.reply(json.dumps(self.facts()))

    def facts(self) -> dict[str, object]:
        return {
            "pid": os.getpid(),
            "path": self.path,
            "headers": {key.lower(): value for key, value in self.headers.items()},
            "environment": environment,
            "client": self.client_address,
            "most": most_under_way,
            "version": environment.get("VERSION"),
        }

    def body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") == "chunked":
            parts = []
            while size := int(self.rfile.readline(), 16):
                parts.append(self.rfile.read(size))
                self.rfile.readline()
            self.rfile.readline()
            return b"".join(parts)
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def stream(self) -> None:
        """Send back each chunk of the request as it comes."""
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        while size := int(self.rfile.readline(), 16):
            data = self.rfile.read(size)
            self.rfile.readline()
            self.wfile.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
        self.rfile.readline()
        self.wfile.write(b"0\r\n\r\n")

    def reply(self, body: str | bytes, content_type: str = "application/json") -> None:
        data = body.encode() if isinstance(body, str) else body
        self.send_response(200)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002
        """Requests are logged when they arrive, not when they are served."""


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 512


def main() -> None:
    with Path(environment["STARTS"]).open("a") as starts:
        starts.write(f"{os.getpid()} {environment['K_REVISION']}\n")
    if "ESCAPE" in environment:
        os.system(environment["ESCAPE"])  # the test's own shell command
    failure = environment.get("FAIL")
    if failure is not None:
        sys.exit(failure)
    if "FAIL_IF" in environment and Path(environment["FAIL_IF"]).exists():
        sys.exit("told to fail")
    if "PORT_IS_TAKEN" in environment and not Path(environment["PORT_IS_TAKEN"]).exists():
        Path(environment["PORT_IS_TAKEN"]).touch()
        raise OSError(errno.EADDRINUSE, os.strerror(errno.EADDRINUSE))
    server = Server(("127.0.0.1", int(environment["PORT"])), Handler)
    server.serve_forever()


if __name__ == "__main__":
    main()
