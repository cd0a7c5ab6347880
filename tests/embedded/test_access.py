"""Who gets in at the platform's three ports, and at those of the processes behind them."""

from __future__ import annotations

import json
import re
import shlex
import stat
import subprocess
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from tests.embedded.helpers.listeners import listeners, listening_addresses
from tests.helpers.http_client import post_event
from tests.helpers.lambda_platform import BUILD_START, PYTHON
from tests.helpers.platform_access import token_header

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.embedded.helpers.embedded_platform import EmbeddedPlatform
    from tests.embedded.helpers.listeners import Listener

LOOPBACK = "0100007F"
HELLO = "def handler(event):\n    return {'data': event.data}\n"
PORTS = ("gateway", "broker", "api")
NODE = {"index.js": "exports.handler = () => 'hello';\n"}


@pytest.fixture(scope="module")
def served(platform: EmbeddedPlatform) -> dict[str, Listener]:
    """The ports, with one function to be called."""
    platform.send_build_start("listeners", {"main.py": HELLO})
    platform.await_phase("listeners", "Ready")
    return listeners(platform, "listeners")


def build_start(name: str) -> tuple[dict[str, str], bytes]:
    """Return a request that deploys code where it is believed."""
    headers = {
        "ce-specversion": "1.0",
        "ce-id": name,
        "ce-source": "/evil",
        "ce-type": BUILD_START,
        "ce-subject": f"default/{name}",
        "ce-time": datetime.now(UTC).isoformat(),
        "Content-Type": "application/json",
    }
    spec = {"runtime": PYTHON, "source": {"inline": {"main.py": HELLO}}}
    return headers, json.dumps(spec).encode()


@pytest.mark.parametrize("port", PORTS)
@pytest.mark.parametrize("method", ["GET", "POST", "OPTIONS"])
def test_a_page_whose_name_was_bound_to_this_machine_gets_nothing(served, port, method, platform):
    listener = served[port]
    evil = f"evil.example:{listener.port}"
    headers, body = build_start("rebound")
    rebound = {**headers, "Host": evil, "Origin": f"http://{evil}", **token_header(platform.home)}

    response = listener.request(method, headers=rebound, body=body)

    assert (response.status, "Access-Control-Allow-Origin" in response.headers) == (403, False)
    assert b"evil.example" in response.body
    assert platform.record("rebound") is None
    assert platform.events(subject="default/rebound") == []


@pytest.mark.parametrize("port", PORTS)
@pytest.mark.parametrize("origin", ["http://evil.example", "http://127.0.0.1:1", "null"])
def test_a_foreign_page_gets_nothing_from_its_visitors_machine(served, port, origin, platform):
    headers, body = build_start("foreign")
    preflight = {"Access-Control-Request-Method": "POST", "Origin": origin}
    credential = token_header(platform.home)

    asked = served[port].request("OPTIONS", headers=preflight)
    sent = served[port].request(headers={**headers, **credential, "Origin": origin}, body=body)

    assert (asked.status, sent.status) == (403, 403)
    assert not [
        name for name in (*asked.headers, *sent.headers) if "access-control" in name.lower()
    ]
    assert platform.record("foreign") is None


def test_a_foreign_page_cannot_call_a_function_blindly(served):
    image = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image"}
    assert served["gateway"].request("GET", headers=image).reason == "OriginNotAllowed"


@pytest.mark.parametrize("credential", [None, "Bearer wrong", "Basic x"])
def test_a_local_user_without_the_token_deploys_nothing(served, platform, credential):
    headers, body = build_start("stranger")
    shown = {} if credential is None else {"Authorization": credential}
    listener = served["broker"]
    for path in (listener.path, "/default/default", "/knative-lambda/knative-lambda/"):
        response = listener.request(path=path, headers={**headers, **shown}, body=body)
        assert (response.status, response.reason) == (401, "Unauthorized")
    assert platform.record("stranger") is None
    assert platform.events(subject="default/stranger") == []


@pytest.mark.parametrize(
    "path", ["/-/events", "/-/dead-letters", "/-/anything", "//-/events", "/-/events?limit=1"]
)
def test_a_local_user_without_the_token_reads_no_event(served, path):
    response = served["broker"].request("GET", path)
    assert (response.status, response.reason) == (401, "Unauthorized")


@pytest.mark.parametrize("method", ["GET", "POST", "PATCH", "PUT", "DELETE"])
def test_a_local_user_without_the_token_gets_nothing_from_the_api(served, method):
    assert served["api"].request(method).status == 401


def test_health_is_no_secret(served):
    assert served["broker"].request("GET", "/health").status == 200
    assert served["api"].request("GET", "/readyz").status == 200


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "listeners.default.localhost"])
def test_a_local_program_calls_a_function_without_the_token(served, host):
    headers, body = build_start("anything")
    response = served["gateway"].request(headers={**headers, "Host": host}, body=body)
    assert response.status == 200


def test_the_curl_line_of_deploy_calls_the_function(
    platform, write_function, unique_name, require_server
):
    require_server("curl", "apt-get install curl")
    deployed = platform.kn_lambda("deploy", write_function(HELLO), "--name", unique_name)
    (line,) = re.findall(r"^ *(curl .*)$", deployed.stderr, re.MULTILINE)
    called = subprocess.run(shlex.split(line), check=True, capture_output=True)
    assert json.loads(called.stdout) == {"data": {}}


@pytest.mark.parametrize(
    "path",
    [
        "/knative-lambda/build-start",
        "/default/listeners/../../knative-lambda/build-start",
        "/default/listeners/%2e%2e/%2e%2e/knative-lambda/build-start",
        "/default/listeners/..%2f..%2fknative-lambda/build-start",
        "/./knative-lambda/./build-start",
        "//knative-lambda/build-start",
        "/default/../knative-lambda/build-start",
    ],
)
@pytest.mark.parametrize("host", [None, "build-start.knative-lambda.localhost"])
def test_no_path_and_no_name_leads_to_a_service_that_is_cluster_local(served, platform, path, host):
    headers, body = build_start("around")
    named = {} if host is None else {"Host": host}

    response = served["gateway"].request(path=path, headers={**headers, **named}, body=body)

    # The function of the path's own beginning, which takes any rest of it, or nothing.
    is_of_the_function = host is None and path.startswith("/default/listeners/")
    assert response.status == (200 if is_of_the_function else 404)
    assert platform.record("around") is None


def test_the_process_of_a_control_function_takes_nothing_from_strangers(served, platform):
    platform.post(
        served["broker"].url + "/knative-lambda/knative-lambda", b"{}", build_start("warm")[0]
    )
    platform.await_settled()
    headers, body = build_start("behind")
    ports = {
        port
        for pid in platform.processes("guarded_function")
        for _, port in listening_addresses(pid)
    }
    assert ports
    for port in ports:
        response = post_event(
            f"http://127.0.0.1:{port}/", json.loads(body), headers=headers, type=BUILD_START
        )
        assert response.status == 401, response
    assert platform.record("behind") is None


def test_lambdas_of_every_language_listen_on_this_machine_alone(platform, served, unique_name):
    platform.send_build_start(unique_name, NODE, spec={"runtime": "nodejs20"})
    platform.await_phase(unique_name, "Ready")
    for name in ("listeners", unique_name):
        assert post_event(platform.url(name), {}, type="t").status == 200
    found = {
        address
        for pid in platform.processes("/runtime/server.")
        for address, _ in listening_addresses(pid)
    }
    assert found == {LOOPBACK}


def test_a_lambda_never_sees_the_platforms_token(platform, unique_name):
    source = "def handler(request):\n    return dict(request.headers)\n"
    platform.send_build_start(unique_name, {"main.py": source}, spec={"signature": "http"})
    platform.await_phase(unique_name, "Ready")
    listener = listeners(platform, unique_name)["gateway"]

    with_token = listener.request("GET", headers=token_header(platform.home))
    with_own = listener.request("GET", headers={"Authorization": "Bearer of-the-function"})

    assert (with_token.status, b"Bearer" in with_token.body) == (200, False)
    assert b"of-the-function" in with_own.body


def test_hosts_and_pages_that_were_let_in_come_in_and_no_others(
    start_platform: Callable[..., EmbeddedPlatform], served
):
    platform = start_platform(
        "--allow-host", "tunnel.example", "--allow-origin", "http://localhost:3000"
    )
    platform.send_build_start("open", {"main.py": HELLO})
    platform.await_phase("open", "Ready")
    headers, body = build_start("open-to-pages")
    page = {"Origin": "http://localhost:3000"}
    asked = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "ce-id"}
    credential = token_header(platform.home)
    for name, listener in listeners(platform, "open").items():
        preflight = listener.request("OPTIONS", headers={**page, **asked})
        assert preflight.status == 204, name
        assert preflight.headers["Access-Control-Allow-Origin"] == "http://localhost:3000"
        assert preflight.headers["Access-Control-Allow-Methods"] == "POST"
        assert preflight.headers["Access-Control-Allow-Headers"] == "ce-id"
        assert "Origin" in preflight.headers["Vary"]
        from_page = listener.request("POST", headers={**headers, **credential, **page}, body=body)
        assert from_page.status != 403, name
        assert from_page.headers["Access-Control-Allow-Origin"] == "http://localhost:3000"
        assert listener.request(headers={**headers, "Host": "tunnel.example"}).status != 403
        for refused in ({"Host": "a.tunnel.example"}, {"Origin": "http://localhost:3001"}):
            assert listener.request(headers={**credential, **refused}).status == 403, name
    # A page that was let in still needs the token where everybody does.
    stranger = listeners(platform, "open")["broker"].request(headers={**headers, **page}, body=body)
    assert (stranger.status, stranger.headers["Access-Control-Allow-Origin"]) == (
        401,
        page["Origin"],
    )


@pytest.mark.parametrize("option", [("--allow-host", "https://a.example"), ("--allow-origin", "*")])
def test_what_cannot_be_let_in_is_refused_with_the_way_out(kn_lambda_alone, option):
    done = kn_lambda_alone("up", *option)
    assert done.returncode == 2
    assert option[0] in done.stderr
    assert "such as" in done.stderr


def test_the_token_is_kept_over_restarts_and_replaced_on_request(own_platform: EmbeddedPlatform):
    token = own_platform.home / "token"
    first = token.read_text()
    assert stat.S_IMODE(token.stat().st_mode) == 0o600
    own_platform.stop()
    own_platform.start()
    assert token.read_text() == first
    own_platform.stop()
    own_platform.start("--new-token")
    assert token.read_text() != first
    old = {"Authorization": f"Bearer {first}"}
    assert listeners(own_platform, "any")["broker"].request(headers=old).status == 401
    assert own_platform.kn_lambda("list").returncode == 0


def test_a_data_folder_from_before_there_was_a_token_goes_on(
    own_platform: EmbeddedPlatform, write_function
):
    own_platform.send_build_start("old", {"main.py": HELLO})
    own_platform.await_phase("old", "Ready")
    own_platform.stop()
    for made_since in ("token", "api.pem"):
        (own_platform.home / made_since).unlink()
    own_platform.kubeconfig.write_text(
        "{clusters: [{name: a, cluster: {server: 'http://127.0.0.1:1', proxy-url: 'http://a:b@c'}}],"
        " users: [{name: a, user: {token: an-older-one}}]}"
    )
    own_platform.start()
    assert own_platform.kn_lambda("invoke", "old").returncode == 0
    own_platform.deploy(write_function(HELLO), "--name", "new")


def test_kubectl_shows_no_token_and_works(platform: EmbeddedPlatform, require_server):
    kubectl = require_server("kubectl", "apt-get install kubernetes-client")
    command = [kubectl, "--kubeconfig", str(platform.kubeconfig)]
    shown = subprocess.run([*command, "config", "view", "--raw"], check=True, capture_output=True)
    assert (platform.home / "token").read_text() not in shown.stdout.decode()
    got = subprocess.run(
        [*command, "get", "namespaces", "-o", "name"], check=True, capture_output=True
    )
    assert b"namespace/default" in got.stdout
