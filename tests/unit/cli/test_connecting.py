from __future__ import annotations

import json

import pytest

from kn_lambda.cluster.connecting import choose_target, connect, platform_facts
from kn_lambda.errors import UnreachableError
from kn_lambda.session import TargetOptions


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


def test_nothing_to_speak_to_names_the_way_out(tmp_path):
    with pytest.raises(UnreachableError) as raised:
        choose_target(_options(tmp_path))
    assert "kn-lambda up" in raised.value.way_out


def test_an_unknown_context_is_told_with_those_that_are_known(tmp_path):
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
    assert "staging" in raised.value.way_out
    assert connect(_options(tmp_path, context="staging", kubeconfig=str(file))).name


@pytest.mark.parametrize("content", [None, "", "not json", "[]"])
def test_facts_of_a_platform_that_does_not_run_are_none(tmp_path, content):
    if content is not None:
        (tmp_path / "platform.json").write_text(content)
    assert platform_facts(tmp_path) == {}
