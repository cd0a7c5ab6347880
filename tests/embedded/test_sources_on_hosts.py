"""Sources in a private repository and at https://, with a hash, on the embedded platform."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from base64 import b64encode
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from tests.helpers.certificate_authority import make_authority
from tests.helpers.git_servers import GIT, basic, serving_git
from tests.helpers.http_client import post_event
from tests.helpers.http_server import serving_requests

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.embedded.helpers.embedded_platform import EmbeddedPlatform

PASSWORD = "hunter2-deploy-token"
SECRETS = "/api/v1/namespaces/default/secrets"
RECORDS = "/apis/knative-lambda.dev/v1alpha1/namespaces/default/lambdafunctions"


def code(greeting):
    return f"def handler(event):\n    return {greeting!r}\n"


def archive():
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as file:
        file.writestr("main.py", code("from an archive"))
    return content.getvalue()


@contextmanager
def serving(content, authority):
    class _Handler(BaseHTTPRequestHandler):
        def log_message(self, *_):
            pass

        def do_GET(self):
            self.send_response(200)
            self.end_headers()
            self.wfile.write(content)

    with serving_requests(_Handler, authority) as url:
        yield url


def make_secret(platform):
    values = {"username": "deploy", "password": PASSWORD}
    data = {key: b64encode(value.encode()).decode() for key, value in values.items()}
    metadata = {"name": "source-credentials", "namespace": "default"}
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "data": data}
    assert platform.api("POST", SECRETS, secret).status == 201


def apply(platform, name, spec):
    record = {"apiVersion": "knative-lambda.dev/v1alpha1", "kind": "LambdaFunction"}
    record |= {"metadata": {"name": name, "namespace": "default"}, "spec": spec}
    assert platform.api("POST", RECORDS, record).status == 201


def test_functions_come_from_hosts_that_the_operator_lists(
    start_platform: Callable[..., EmbeddedPlatform], require_server, tmp_path
):
    require_server(*GIT)
    authority = make_authority(tmp_path / "ca", "localhost")
    content = archive()
    with (
        serving_git(tmp_path / "git", authority, authorization=basic("deploy", PASSWORD)) as git,
        serving(content, authority) as url,
    ):
        repository = git.repository("team/code")
        commit = repository.commit({"greet/main.py": code("from a commit"), "README": ""})
        hosts = [f"{host}=127.0.0.0/8,::1/128" for host in (git.host, urlsplit(url).netloc)]
        platform = start_platform(
            KN_LAMBDA_SOURCE_HOSTS=json.dumps(hosts),
            KN_LAMBDA_SOURCE_CERTIFICATES=authority.certificate.read_text(),
        )
        uri = f"git+{git.url}/team/code@main#greet"
        deploy = ("deploy", tmp_path, "--name", "greet", "--runtime", "python", "--source", uri)
        refused = platform.kn_lambda(*deploy)
        assert (
            "rejected: SourceAccessDenied: source.secretRef: localhost responds" in refused.stderr
        )
        make_secret(platform)
        deployed = platform.kn_lambda(*deploy, "--source-secret", "source-credentials")
        assert deployed.returncode == 0, deployed.stderr
        assert post_event(platform.url("greet"), {}, type="t").data == "from a commit"
        assert commit in platform.kn_lambda("describe", "greet").stdout

        sha256 = hashlib.sha256(content).hexdigest()
        source = {"uri": f"{url}/a.zip", "sha256": sha256}
        apply(platform, "archived", {"source": source, "runtime": platform.runtime})
        platform.await_phase("archived", "Ready")
        assert post_event(platform.url("archived"), {}, type="t").data == "from an archive"

    for stored in (platform.list(RECORDS), platform.list("/api/v1/events"), platform.events()):
        assert PASSWORD not in json.dumps(stored)
    assert PASSWORD not in platform.log
