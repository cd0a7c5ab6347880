"""A Pod's way to the Kubernetes API: the kubelet's variables, token and authority."""

from __future__ import annotations

from contextlib import closing
from urllib.parse import urlsplit

import pytest

from knative_lambda.adapters.kubernetes.client import JOBS, KubernetesApi
from knative_lambda.adapters.kubernetes.connection import pod_connection
from knative_lambda.domain.errors import PlatformUnavailableError
from tests.contract.helpers.kubernetes_servers import noting_server
from tests.helpers.certificate_authority import make_authority

PLACE = (JOBS, "builds", "a-job")


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return make_authority(tmp_path_factory.mktemp("authority") / "files")


@pytest.fixture
def account(tmp_path, authority):
    """The mounted folder."""
    folder = tmp_path / "serviceaccount"
    folder.mkdir()
    (folder / "token").write_text("first-token\n")
    (folder / "ca.crt").write_bytes(authority.certificate.read_bytes())
    return folder


@pytest.fixture
def pod_api(account, monkeypatch):
    """Connects as a Pod in whose environment a server is the API."""
    monkeypatch.delenv("KUBECONFIG", raising=False)

    def connect(url):
        monkeypatch.setenv("KUBERNETES_SERVICE_HOST", urlsplit(url).hostname)
        monkeypatch.setenv("KUBERNETES_SERVICE_PORT", str(urlsplit(url).port))
        return closing(KubernetesApi(service_account=account))

    return connect


def test_a_token_that_is_rotated_is_shown_with_the_next_request(authority, account, pod_api):
    with noting_server(authority) as (url, seen), pod_api(url) as api:
        api.get(*PLACE)
        (account / "token").write_text("second-token")
        api.get(*PLACE)
    assert seen == ["Bearer first-token", "Bearer second-token"]


def test_a_server_of_another_authority_is_shown_nothing(tmp_path, pod_api):
    stranger = make_authority(tmp_path / "stranger")
    with noting_server(stranger) as (url, seen), pod_api(url) as api:
        with pytest.raises(PlatformUnavailableError, match=r"builds/jobs/a-job.*SSLError"):
            api.get(*PLACE)
        assert seen == []


def test_a_server_of_another_name_is_shown_nothing(tmp_path, account, pod_api):
    elsewhere = make_authority(tmp_path / "elsewhere", host="127.0.0.2")
    (account / "ca.crt").write_bytes(elsewhere.certificate.read_bytes())
    with noting_server(elsewhere) as (url, seen), pod_api(url) as api:
        with pytest.raises(PlatformUnavailableError):
            api.get(*PLACE)
        assert seen == []


@pytest.mark.parametrize("file", ["token", "ca.crt"])
@pytest.mark.parametrize("spoil", [lambda path: path.unlink(), lambda path: path.write_text("")])
def test_a_part_that_is_not_there_is_a_platform_in_trouble_until_it_is(
    authority, account, pod_api, file, spoil
):
    content = (account / file).read_bytes()
    spoil(account / file)
    with noting_server(authority) as (url, seen):
        # Not closed: what never connected has nothing to close.
        api = pod_api(url).thing
        with pytest.raises(PlatformUnavailableError, match="the Pod's service account"):
            api.get(*PLACE)
        (account / file).write_bytes(content)
        with closing(api):
            api.get(*PLACE)
    assert seen == ["Bearer first-token"]


def test_a_token_that_is_lost_later_is_a_platform_in_trouble(authority, account, pod_api):
    with noting_server(authority) as (url, seen), pod_api(url) as api:
        api.get(*PLACE)
        (account / "token").write_text("")
        with pytest.raises(PlatformUnavailableError):
            api.get(*PLACE)
    assert len(seen) == 1


@pytest.mark.parametrize(
    ("host", "server"),
    [
        ("10.96.0.1", "https://10.96.0.1:443"),
        ("kubernetes.default", "https://kubernetes.default:443"),
        ("fd00::1", "https://[fd00::1]:443"),
    ],
)
def test_the_server_is_where_the_variables_say(account, host, server):
    variables = {"KUBERNETES_SERVICE_HOST": host, "KUBERNETES_SERVICE_PORT": "443"}
    assert pod_connection(variables, account).server == server


def test_a_kubeconfig_that_is_set_goes_before_the_pod(tmp_path, pod_api, monkeypatch):
    with noting_server() as (url, seen):
        kubeconfig = tmp_path / "kubeconfig"
        kubeconfig.write_text(
            "{current-context: c, contexts: [{name: c, context: {cluster: k, user: u}}],"
            " users: [{name: u, user: {token: of-the-file}}],"
            f' clusters: [{{name: k, cluster: {{server: "{url}"}}}}]}}'
        )
        with pod_api("https://127.0.0.1:1") as api:
            monkeypatch.setenv("KUBECONFIG", str(kubeconfig))
            api.get(*PLACE)
    assert seen == ["Bearer of-the-file"]
