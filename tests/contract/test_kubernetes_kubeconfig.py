"""What a kubeconfig can say, and that we read it as the kubernetes package does."""

from __future__ import annotations

import json
import subprocess
import sys
from base64 import b64encode
from contextlib import closing

import pytest
import urllib3

from knative_lambda.adapters.kubernetes.client import JOBS, KubernetesApi
from knative_lambda.adapters.kubernetes.kubeconfig import kubeconfig_connection
from knative_lambda.adapters.kubernetes.kubeconfig_by_package import connection_by_package
from knative_lambda.adapters.kubernetes.transport import Transport
from knative_lambda.domain.errors import PlatformUnavailableError
from tests.contract.helpers.kubernetes_servers import noting_server
from tests.helpers.certificate_authority import make_authority

PLACE = (JOBS, "builds", "a-job")


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return make_authority(tmp_path_factory.mktemp("authority") / "files")


def write(path, url, user=None, **cluster):
    """A kubeconfig with the contexts `right`, which is current, and `wrong`."""
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "right",
        "contexts": [
            {"name": "wrong", "context": {"cluster": "wrong", "user": "wrong"}},
            {"name": "right", "context": {"cluster": "right", "user": "right"}},
        ],
        "clusters": [
            {"name": "wrong", "cluster": {"server": "http://127.0.0.1:1"}},
            {"name": "right", "cluster": {"server": url, **cluster}},
        ],
        "users": [
            {"name": "wrong", "user": {"token": "wrong"}},
            {"name": "right", "user": {} if user is None else user},
        ],
    }
    path.write_text(json.dumps(config))
    return str(path)


def connect(kubeconfig, context=None):
    return closing(KubernetesApi(kubeconfig=kubeconfig, context=context))


def encoded(path):
    return b64encode(path.read_bytes()).decode()


def exec_plugin(path, *answers):
    """A user whose credentials come from a program, one more of the answers with every run."""
    status = "[" + ", ".join(json.dumps(answer) for answer in answers) + "]"
    path.write_text(
        "import json, pathlib\n"
        f"runs = pathlib.Path({str(path)!r} + '.runs')\n"
        "run = len(runs.read_text()) if runs.exists() else 0\n"
        "runs.write_text('x' * (run + 1))\n"
        "print(json.dumps({'apiVersion': 'client.authentication.k8s.io/v1',"
        f" 'kind': 'ExecCredential', 'status': {status}[run]}}))\n"
    )
    version = "client.authentication.k8s.io/v1"
    return {"exec": {"apiVersion": version, "command": sys.executable, "args": [str(path)]}}


@pytest.mark.parametrize(
    ("user", "shown"),
    [
        ({"token": "t"}, "Bearer t"),
        ({"token": 12345}, "Bearer 12345"),
        ({"tokenFile": "a-token"}, "Bearer of-a-file"),
        ({"token": "t", "tokenFile": "a-token"}, "Bearer t"),
        ({}, None),
        ({"token": ""}, None),
    ],
)
@pytest.mark.parametrize("read", [kubeconfig_connection, connection_by_package])
def test_a_plain_kubeconfig_is_read_as_the_package_reads_it(tmp_path, user, shown, read):
    (tmp_path / "a-token").write_text("of-a-file")
    with noting_server() as (url, seen):
        kubeconfig = write(tmp_path / "kubeconfig", url + "/", user, **{"proxy-url": "http://p"})
        connection = read(kubeconfig, None)
        assert connection.server == url
        with closing(Transport(connection)) as transport:
            transport.send("GET", "/version", headers={}, read_seconds=5)
    assert seen == [shown]


@pytest.mark.parametrize("read", [kubeconfig_connection, connection_by_package])
@pytest.mark.parametrize("how", ["a file", "a file beside it", "data"])
def test_the_authority_of_a_kubeconfig_is_the_one_that_counts(tmp_path, authority, how, read):
    (tmp_path / "beside.crt").write_bytes(authority.certificate.read_bytes())
    stranger = make_authority(tmp_path / "stranger")
    cluster = {
        "a file": {"certificate-authority": str(authority.certificate)},
        "a file beside it": {"certificate-authority": "beside.crt"},
        "data": {"certificate-authority-data": encoded(authority.certificate)},
    }[how]
    with noting_server(authority) as (url, seen), noting_server(stranger) as (other, seen_by_other):
        for name, place in (("kubeconfig", url), ("other", other)):
            write(tmp_path / name, place, {"token": "t"}, **cluster)
        with closing(Transport(read(str(tmp_path / "kubeconfig"), None))) as transport:
            transport.send("GET", "/version", headers={}, read_seconds=5)
        with (
            closing(Transport(read(str(tmp_path / "other"), None))) as transport,
            pytest.raises(PlatformUnavailableError, match="SSLError"),
        ):
            transport.send("GET", "/version", headers={}, read_seconds=5)
    assert (seen, seen_by_other) == (["Bearer t"], [])


def test_a_server_is_verified_where_no_authority_is_named(tmp_path, authority):
    with noting_server(authority) as (url, seen):
        with (
            connect(write(tmp_path / "kubeconfig", url, {"token": "t"})) as api,
            pytest.raises(PlatformUnavailableError, match="SSLError"),
        ):
            api.get(*PLACE)
        assert seen == []


def test_a_file_with_a_token_is_read_again(tmp_path):
    (tmp_path / "a-token").write_text("first\n")
    user = {"tokenFile": "a-token"}
    with noting_server() as (url, seen), connect(write(tmp_path / "k", url, user)) as api:
        api.get(*PLACE)
        (tmp_path / "a-token").write_text("second\n")
        api.get(*PLACE)
    assert seen == ["Bearer first", "Bearer second"]


@pytest.mark.parametrize("user", [{"token": "t"}, {"username": "me", "password": "secret"}])
def test_a_context_is_chosen_by_name_before_the_current_one(tmp_path, user):
    with noting_server() as (url, seen):
        kubeconfig = write(tmp_path / "kubeconfig", url, user)
        (tmp_path / "kubeconfig").write_text(
            (tmp_path / "kubeconfig")
            .read_text()
            .replace('-context": "right"', '-context": "wrong"')
        )
        with connect(kubeconfig, context="right") as api:
            api.get(*PLACE)
        with connect(kubeconfig) as api, pytest.raises(PlatformUnavailableError):
            api.get(*PLACE)
    assert len(seen) == 1


def test_a_context_that_is_not_there_is_a_platform_in_trouble(tmp_path):
    kubeconfig = write(tmp_path / "kubeconfig", "http://127.0.0.1:1", {"token": "t"})
    with pytest.raises(PlatformUnavailableError, match="check KUBECONFIG"):
        KubernetesApi(kubeconfig=kubeconfig, context="nowhere").get(*PLACE)


@pytest.mark.parametrize("how", ["files", "data", "plugin"])
def test_a_client_certificate_is_shown(tmp_path, authority, how):
    user = {
        "files": {
            "client-certificate": str(authority.client_certificate),
            "client-key": str(authority.client_key),
        },
        "data": {
            "client-certificate-data": encoded(authority.client_certificate),
            "client-key-data": encoded(authority.client_key),
        },
        "plugin": exec_plugin(
            tmp_path / "plugin.py",
            {
                "clientCertificateData": authority.client_certificate.read_text(),
                "clientKeyData": authority.client_key.read_text(),
            },
        ),
    }[how]
    cluster = {"certificate-authority": str(authority.certificate)}
    with noting_server(authority, wants_certificate=True) as (url, seen):
        with connect(write(tmp_path / "kubeconfig", url, user, **cluster)) as api:
            api.get(*PLACE)
        with (
            connect(write(tmp_path / "without", url, {"token": "t"}, **cluster)) as api,
            pytest.raises(PlatformUnavailableError),
        ):
            api.get(*PLACE)
    assert seen == [None]


def test_a_plugin_is_asked_again_for_a_token_that_has_expired(tmp_path):
    expired = {"token": "first", "expirationTimestamp": "2020-01-01T00:00:00Z"}
    lasting = {"token": "second", "expirationTimestamp": "2999-01-01T00:00:00Z"}
    user = exec_plugin(tmp_path / "plugin.py", expired, lasting)
    with noting_server() as (url, seen), connect(write(tmp_path / "k", url, user)) as api:
        api.get(*PLACE)
        api.get(*PLACE)
    assert seen == ["Bearer second"] * 2
    assert (tmp_path / "plugin.py.runs").read_text() == "xx"


def test_a_name_and_a_password_are_shown(tmp_path):
    user = {"username": "me", "password": "secret"}
    with noting_server() as (url, seen), connect(write(tmp_path / "k", url, user)) as api:
        api.get(*PLACE)
    assert seen == ["Basic bWU6c2VjcmV0"]


def test_a_list_of_files_is_merged(tmp_path):
    with noting_server() as (url, seen):
        whole = json.loads((tmp_path / write(tmp_path / "a", url, {"token": "t"})).read_text())
        (tmp_path / "b").write_text(json.dumps({"users": whole.pop("users")}))
        (tmp_path / "a").write_text(json.dumps(whole))
        with connect(f"{tmp_path}/a:{tmp_path}/b:{tmp_path}/missing") as api:
            api.get(*PLACE)
    assert seen == ["Bearer t"]


def test_the_first_of_a_list_of_files_names_the_current_context_as_in_kubectl(tmp_path):
    with noting_server() as (url, seen):
        for number, name in enumerate(("first", "second")):
            config = {
                "clusters": [{"name": name, "cluster": {"server": url}}],
                "users": [{"name": name, "user": {"token": name}}],
                "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
                "current-context": name,
            }
            (tmp_path / str(number)).write_text(json.dumps(config))
        (tmp_path / "without").write_text("{}")
        with connect(f"{tmp_path}/without:{tmp_path}/0:{tmp_path}/1") as api:
            api.get(*PLACE)
    assert seen == ["Bearer first"]


def test_a_server_is_verified_by_the_name_that_the_kubeconfig_gives(tmp_path):
    authority = make_authority(tmp_path / "named", host="kubernetes.test")
    cluster = {"certificate-authority": str(authority.certificate)}
    with noting_server(authority) as (url, seen):
        name = {"tls-server-name": "kubernetes.test"}
        with connect(write(tmp_path / "a", url, {"token": "t"}, **cluster, **name)) as api:
            api.get(*PLACE)
        with (
            connect(write(tmp_path / "b", url, {"token": "t"}, **cluster)) as api,
            pytest.raises(PlatformUnavailableError),
        ):
            api.get(*PLACE)
    assert seen == ["Bearer t"]


def test_only_a_kubeconfig_that_says_so_leaves_a_server_unverified(tmp_path, authority):
    cluster = {"insecure-skip-tls-verify": True}
    with (
        noting_server(authority) as (url, seen),
        connect(write(tmp_path / "k", url, {"token": "t"}, **cluster)) as api,
        pytest.warns(urllib3.exceptions.InsecureRequestWarning),
    ):
        api.get(*PLACE)
    assert seen == ["Bearer t"]


@pytest.mark.parametrize(
    ("cluster", "user", "is_plain"),
    [
        ({}, {"token": "t"}, True),
        ({"proxy-url": "http://p", "extensions": []}, {"tokenFile": "a-token"}, True),
        ({}, {"token": "t", "as": "somebody"}, False),
        ({"of-a-later-release": True}, {"token": "t"}, False),
    ],
)
def test_the_package_is_loaded_only_for_what_we_do_not_read(tmp_path, cluster, user, is_plain):
    (tmp_path / "a-token").write_text("t")
    kubeconfig = write(tmp_path / "kubeconfig", "http://127.0.0.1:1", user, **cluster)
    program = (
        "import sys\n"
        "from knative_lambda.adapters.kubernetes.client import JOBS, KubernetesApi\n"
        "from knative_lambda.domain.errors import PlatformUnavailableError\n"
        "try:\n"
        f"    KubernetesApi(kubeconfig={kubeconfig!r}).get(JOBS, 'builds', 'a-job')\n"
        "except PlatformUnavailableError as error:\n"
        "    assert 'Connection refused' in error.message, error.message\n"
        "print('kubernetes' in sys.modules, 'requests' in sys.modules)\n"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert run.stdout.decode().split() == [str(not is_plain)] * 2
