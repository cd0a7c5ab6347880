"""What whoever reads the Secrets of sources promises."""

from __future__ import annotations

import base64
from base64 import b64encode

import pytest

from knative_lambda.adapters.kubernetes.client import SECRETS, KubernetesApi
from knative_lambda.adapters.kubernetes.source_secrets import KubernetesSourceSecrets
from knative_lambda.domain.errors import SourceAccessDeniedError
from knative_lambda.domain.names import FunctionId
from tests.contract.helpers.kubernetes_apis import KUBERNETES_APIS
from tests.helpers.fakes import InMemorySourceSecrets
from tests.helpers.kubeconfigs import write_kubeconfig
from tests.helpers.platforms import kubernetes_platform
from tests.helpers.s3_servers import CannedAnswer, answering_server

TOKEN = "hunter2-token"


class Place:
    """A namespace with Secrets."""

    def __init__(self, kubernetes=None):
        self.kubernetes = kubernetes
        self.namespace = kubernetes.namespace if kubernetes else "default"
        self.secrets = (
            KubernetesSourceSecrets(api=kubernetes.hands.api)
            if kubernetes
            else InMemorySourceSecrets()
        )

    def put(self, name="deploy-token", **data):
        if self.kubernetes is None:
            self.secrets.data[(self.namespace, name)] = data
            return
        values = {key: b64encode(value).decode() for key, value in data.items()}
        secret = {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": name, "namespace": self.namespace},
            "data": values,
        }
        self.kubernetes.hands.api.create(SECRETS, secret)

    def read(self, name="deploy-token"):
        return self.secrets.authorization(FunctionId(self.namespace, "hello"), name)


@pytest.fixture(params=["fake", *KUBERNETES_APIS])
def place(request):
    if request.param == "fake":
        yield Place()
        return
    platform = kubernetes_platform(*request.getfixturevalue(f"{request.param}_api"))
    yield Place(platform)
    platform.hands.close()


def decoded(header):
    return base64.b64decode(header.removeprefix("Basic ")).decode()


def test_a_bearer_token_is_sent_as_it_is_less_the_line_end_of_an_editor(place):
    place.put(bearerToken=f"{TOKEN}\n".encode())
    assert place.read() == f"Bearer {TOKEN}"


def test_a_user_and_a_password_are_sent_as_such(place):
    place.put(username=b"ada", password=b"l\xc3\xb6ve:lace\n")
    assert decoded(place.read()) == "ada:löve:lace"


def test_a_token_in_place_of_a_password_needs_no_user(place):
    place.put(password=TOKEN.encode())
    assert decoded(place.read()) == f"git:{TOKEN}"


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({}, "has neither bearerToken nor username and password"),
        ({"username": b"ada"}, "has neither bearerToken nor username and password"),
        ({"bearerToken": b"two words hunter2"}, "the key bearerToken .* is no token"),
        ({"bearerToken": b"hunter2\nX-Other: 1"}, "the key bearerToken .* is no token"),
        ({"bearerToken": b""}, "the key bearerToken .* is empty or too long"),
        ({"bearerToken": b"x" * 9000}, "the key bearerToken .* is empty or too long"),
        ({"password": b"\xffhunter2"}, "the key password .* is no text"),
        ({"username": b"a:b", "password": b"hunter2"}, "that no header can hold"),
        ({"username": b"a\nb", "password": b"hunter2"}, "that no header can hold"),
    ],
)
def test_a_secret_that_opens_nothing_is_told_by_its_name_and_key_alone(place, data, message):
    place.put(**data)
    with pytest.raises(SourceAccessDeniedError, match=message) as refused:
        place.read()
    assert refused.value.field == "source.secretRef"
    assert "deploy-token" in refused.value.message
    assert "hunter2" not in refused.value.message


def test_a_secret_that_is_not_there_is_told(place):
    with pytest.raises(SourceAccessDeniedError, match="there is no Secret deploy-token in "):
        place.read()


def test_a_secret_that_the_operator_has_not_listed_is_told_with_the_way_out(tmp_path):
    answer = CannedAnswer(status=403, body=b'{"kind": "Status", "code": 403}')
    with answering_server(answer) as (port, _):
        write_kubeconfig(tmp_path / "kubeconfig", f"http://127.0.0.1:{port}", token="t")
        api = KubernetesApi(kubeconfig=str(tmp_path / "kubeconfig"))
        secrets = KubernetesSourceSecrets(api=api)
        with pytest.raises(SourceAccessDeniedError, match="Role knative-lambda-source-secrets of"):
            secrets.authorization(FunctionId("default", "hello"), "deploy-token")
        api.close()
