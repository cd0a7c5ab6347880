from __future__ import annotations

import base64
from typing import TYPE_CHECKING

import pytest

from lambda_embedded.processes.environment import UnresolvedEnvironmentError, resolve_environment
from lambda_embedded.store.database import Database
from lambda_embedded.store.objects import Objects

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def objects(tmp_path: Path) -> Iterator[Objects]:
    database = Database(tmp_path / "state.sqlite")
    objects = Objects(database)
    objects.create(
        "Secret",
        {
            "metadata": {"namespace": "team", "name": "keys"},
            "data": {"token": base64.b64encode(b"s3cret").decode()},
        },
    )
    objects.create(
        "ConfigMap",
        {"metadata": {"namespace": "team", "name": "words"}, "data": {"greeting": "hello"}},
    )
    yield objects
    database.close()


def reference(kind: str, name: str, key: str, **more) -> dict:
    return {"env": [{"name": "IT", "valueFrom": {kind: {"name": name, "key": key, **more}}}]}


def test_secret_and_config_map_keys_become_values(objects):
    secret = resolve_environment(objects, "team", reference("secretKeyRef", "keys", "token"))
    words = resolve_environment(objects, "team", reference("configMapKeyRef", "words", "greeting"))
    assert (secret, words) == ({"IT": "s3cret"}, {"IT": "hello"})


def test_secrets_of_another_namespace_are_out_of_reach(objects):
    with pytest.raises(UnresolvedEnvironmentError, match="Secret other/keys does not exist"):
        resolve_environment(objects, "other", reference("secretKeyRef", "keys", "token"))


def test_a_missing_key_names_the_variable_and_the_key(objects):
    with pytest.raises(
        UnresolvedEnvironmentError, match="env IT: Secret team/keys has no key 'nope'"
    ):
        resolve_environment(objects, "team", reference("secretKeyRef", "keys", "nope"))


@pytest.mark.parametrize("name", ["keys", "gone"])
def test_an_optional_reference_may_be_missing(objects, name):
    container = reference("secretKeyRef", name, "nope", optional=True)
    assert resolve_environment(objects, "team", container) == {}


def test_whole_sources_come_first_and_take_a_prefix(objects):
    container = {
        "envFrom": [{"prefix": "W_", "configMapRef": {"name": "words"}}],
        "env": [{"name": "W_greeting", "value": "hi"}, {"name": "BOTH", "value": "$(W_greeting)!"}],
    }
    resolved = resolve_environment(objects, "team", container)
    assert resolved == {"W_greeting": "hi", "BOTH": "hi!"}


def test_unknown_and_escaped_references_stay_as_text(objects):
    container = {"env": [{"name": "A", "value": "$(NOPE) $$(A)"}]}
    assert resolve_environment(objects, "team", container) == {"A": "$(NOPE) $(A)"}


def test_values_of_secrets_are_never_expanded(objects):
    objects.create(
        "Secret",
        {"metadata": {"namespace": "team", "name": "odd"}, "stringData": {"k": "$(A)$$"}},
    )
    container = reference("secretKeyRef", "odd", "k")
    container["env"].insert(0, {"name": "A", "value": "1"})
    assert resolve_environment(objects, "team", container)["IT"] == "$(A)$$"


def test_fields_of_the_pod_are_answered_by_their_path(objects):
    container = {
        "env": [{"name": "POD", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}]
    }
    fields = {"metadata.name": "hello-00001-x"}
    assert resolve_environment(objects, "team", container, fields=fields) == {
        "POD": fields["metadata.name"]
    }
    with pytest.raises(UnresolvedEnvironmentError, match="env POD"):
        resolve_environment(objects, "team", container)


def test_all_that_is_missing_is_named_at_once(objects):
    container = {
        "envFrom": [{"secretRef": {"name": "none"}}],
        "env": [
            {"name": "A", "valueFrom": {"secretKeyRef": {"name": "nor-this", "key": "k"}}},
            {"name": "B", "value": "there"},
            {"name": "C", "valueFrom": {"configMapKeyRef": {"name": "nor-that", "key": "k"}}},
        ],
    }
    with pytest.raises(UnresolvedEnvironmentError) as raised:
        resolve_environment(objects, "team", container)
    for name in ("team/none", "team/nor-this", "team/nor-that"):
        assert name in str(raised.value)
