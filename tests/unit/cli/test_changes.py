from __future__ import annotations

from kn_lambda.deploying.changes import find_changes
from kn_lambda.deploying.settings_change import AppliedSettings
from kn_lambda.deploying.validation import validate_spec

_SOURCE = {"source": {"inline": {"main.py": ""}}, "runtime": "python3.11"}


def _variables(**values):
    return [{"name": name, "value": value} for name, value in values.items()]


def _changes(before, after, set_fields=(), hidden=()):
    spec = validate_spec(_SOURCE | after)
    applied = AppliedSettings(spec=spec, set_fields=set_fields, hidden=hidden)
    return find_changes(None if before is None else validate_spec(_SOURCE | before), applied)


def test_variables_are_named_and_their_values_never_shown():
    before = {"env": _variables(OLD="secret-1", LOG="secret-2", SAME="secret-3")}
    after = {"env": _variables(NEW="secret-4", LOG="secret-5", SAME="secret-3", KEPT="secret-6")}
    changes = _changes(before | {}, after, set_fields=["env.SAME", "env.NEW"])
    assert list(changes.lines()) == [
        "env: + KEPT, + NEW, ~ LOG, - OLD",
        "kept from the command line: SAME",
    ]
    assert changes.to_json()["env"] == {
        "added": ["KEPT", "NEW"], "changed": ["LOG"], "removed": ["OLD"],
    }  # fmt: skip
    assert "secret" not in str(changes.to_json()) + str(list(changes.lines()))


def test_settings_are_named_by_their_options_with_both_values():
    before = {"resources": {"limits": {"memory": "128Mi", "cpu": "1"}}}
    after = {"resources": {"limits": {"memory": "512Mi"}}, "handler": "a.b", "timeoutSeconds": 9}
    assert list(_changes(before, after).lines()) == [
        "handler: none -> a.b",
        "cpu: 1 -> none",
        "memory: 128Mi -> 512Mi",
        "request-timeout: 60 -> 9",
    ]


def test_subscriptions_are_said_to_have_changed():
    after = {"subscriptions": [{"type": "a"}]}
    assert list(_changes({}, after).lines()) == ["subscriptions: changed"]


def test_a_new_function_shows_its_variables_only():
    changes = _changes(None, {"env": _variables(A="1"), "scale": {"max": 3}})
    assert list(changes.lines()) == ["env: + A"]


def test_nothing_to_say_is_no_line():
    assert list(_changes({}, {}).lines()) == []


def test_what_an_option_hides_is_said_with_the_way_out():
    changes = _changes({}, {}, set_fields=["env.A", "scale.max"], hidden=["env.A"])
    assert list(changes.lines()) == [
        "kept from the command line: A, scale-max",
        "hides function.yaml: A (--unset NAME follows it again)",
    ]
