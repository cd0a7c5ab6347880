from __future__ import annotations

import json
import os

import pytest

from kn_lambda.cluster.connecting import TargetOptions, choose_target
from kn_lambda.cluster.connecting import connect as connect_to_running
from kn_lambda.cluster.running import platform_info
from kn_lambda.errors import UnreachableError


def connect(options):
    """Connect to embedded platforms as if they ran."""
    return connect_to_running(options, require=lambda _home: None)


def _options(home, context=None, kubeconfig=None):
    return TargetOptions(home=home, context=context, kubeconfig=kubeconfig)


def test_a_context_goes_before_everything(tmp_path):
    (tmp_path / "kubeconfig").touch()
    target = choose_target(_options(tmp_path, context="prod", kubeconfig="/of/the/cluster"))
    assert (target.context, target.kubeconfig) == ("prod", "/of/the/cluster")
    assert not target.is_embedded


def test_an_embedded_platform_that_is_down_does_not_give_way_to_kubeconfig(tmp_path):
    (tmp_path / "kubeconfig").touch()
    target = choose_target(_options(tmp_path, kubeconfig="/of/the/cluster"))
    assert target.is_embedded
    assert target.kubeconfig == str(tmp_path / "kubeconfig")


def test_kubeconfig_is_used_where_no_platform_ever_ran(tmp_path):
    target = choose_target(_options(tmp_path, kubeconfig="/of/the/cluster"))
    assert (target.kubeconfig, target.is_embedded) == ("/of/the/cluster", False)


def test_without_a_platform_the_hint_names_two_ways_to_get_one(tmp_path):
    with pytest.raises(UnreachableError) as raised:
        choose_target(_options(tmp_path))
    assert "kn-lambda up" in raised.value.hint


def test_an_unknown_context_is_rejected_with_the_existing_ones(tmp_path):
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "c", "cluster": {"server": "http://127.0.0.1:1"}}],
        "users": [{"name": "u", "user": {"token": "t"}}],
        "contexts": [{"name": "staging", "context": {"cluster": "c", "user": "u"}}],
        "current-context": "staging",
    }
    file = tmp_path / "config"
    file.write_text(json.dumps(config))
    with pytest.raises(UnreachableError) as raised:
        connect(_options(tmp_path, context="prod", kubeconfig=str(file)))
    assert "staging" in raised.value.hint
    assert connect(_options(tmp_path, context="staging", kubeconfig=str(file))).name


def _kubeconfig(name, server, token_file, **user):
    return {
        "clusters": [
            {
                "name": name,
                "cluster": {"server": server, "certificate-authority-data": "QQ=="},
            }
        ],
        "users": [{"name": name, "user": {"tokenFile": str(token_file), **user}}],
        "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
        "current-context": name,
    }


@pytest.fixture
def kubeconfigs(tmp_path):
    """Copies of the kubeconfig of an embedded platform, and of a cluster's with a token's file."""
    found = {}
    for name in ("embedded", "prod"):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "token").write_text(f"token-of-{name}")
        text = json.dumps(_kubeconfig(name, f"https://127.0.0.1/{name}", folder / "token"))
        if name == "embedded":
            (folder / "kubeconfig").write_text(text)
        (tmp_path / f"copy-{name}").write_text(text)
        found[name] = str(tmp_path / f"copy-{name}")
    return found


@pytest.mark.parametrize("order", [("embedded",), ("embedded", "prod"), ("prod", "embedded")])
@pytest.mark.parametrize("context", [None, "embedded"])
def test_the_token_of_an_embedded_platform_goes_along_by_whatever_kubeconfig_it_is_meant(
    tmp_path, kubeconfigs, order, context
):
    merged = os.pathsep.join(kubeconfigs[name] for name in order)
    options = _options(tmp_path, context=context, kubeconfig=merged)
    meant = context or order[0]
    headers = connect(options).broker_headers
    expected = {"Authorization": "Bearer token-of-embedded"} if meant == "embedded" else {}
    assert headers == expected


@pytest.mark.parametrize("context", [None, "prod"])
def test_the_token_of_a_cluster_never_goes_to_a_broker(tmp_path, kubeconfigs, context):
    options = _options(tmp_path, context=context, kubeconfig=kubeconfigs["prod"])
    assert connect(options).broker_headers == {}


HOSTILE = {
    "another server": ("https://evil.example", "token", {}),
    "another file of the folder": ("https://127.0.0.1/embedded", "nothing", {}),
    "a token of its own": ("https://127.0.0.1/embedded", "token", {"token": "evil"}),
}


@pytest.mark.parametrize("what", HOSTILE)
def test_who_names_the_file_of_a_token_does_not_get_it(tmp_path, kubeconfigs, what):
    server, file, user = HOSTILE[what]
    evil = _kubeconfig("embedded", server, tmp_path / "embedded" / file, **user)
    (tmp_path / "evil").write_text(json.dumps(evil))
    for paths in (f"{tmp_path}/evil", f"{tmp_path}/evil:{kubeconfigs['embedded']}"):
        assert connect(_options(tmp_path, kubeconfig=paths)).broker_headers == {}


def test_an_authority_of_its_own_is_another_platform(tmp_path, kubeconfigs):
    evil = json.loads((tmp_path / "copy-embedded").read_text())
    evil["clusters"][0]["cluster"]["certificate-authority-data"] = "Qg=="
    (tmp_path / "evil").write_text(json.dumps(evil))
    assert connect(_options(tmp_path, kubeconfig=f"{tmp_path}/evil")).broker_headers == {}


@pytest.mark.parametrize(
    "text", ["", "[]", "1", "{", "contexts: 1", "contexts: [1]", "contexts: [{name: 1}]",
             "[" * 5000, '{"contexts": {"a": 1}, "current-context": "a"}']
)  # fmt: skip
def test_a_broken_kubeconfig_is_reported_where_it_is_used(tmp_path, text):
    (tmp_path / "broken").write_text(text)
    assert connect(_options(tmp_path, kubeconfig=f"{tmp_path}/broken")).broker_headers == {}


@pytest.mark.parametrize("content", [None, "", "not json", "[]", "[" * 100_000])
def test_facts_of_a_platform_that_does_not_run_are_none(tmp_path, content):
    if content is not None:
        (tmp_path / "platform.json").write_text(content)
    assert platform_info(tmp_path) == {}
