from __future__ import annotations

from datetime import UTC, datetime

import pytest

from kn_lambda.deploying.settings import OPTIONS, default_value, find_path, name_of
from kn_lambda.deploying.settings_change import (
    SettingsChange,
    apply_settings,
    change_record,
    read_change,
)
from kn_lambda.errors import WrongUsageError
from knative_lambda.domain.lambda_function import LambdaFunction, LambdaFunctionSpec, RequestStamp
from knative_lambda.domain.names import FunctionId

_SOURCE = {"source": {"inline": {"main.py": ""}}, "runtime": "python3.11"}


def _read(**options):
    given = {"env": (), "env_files": (), "env_values_from": (), "unset": (), "settings": {}}
    return read_change(**(given | options))


def _record(set_fields=(), **spec):
    return LambdaFunction(
        id=FunctionId("default", "hello"),
        spec=LambdaFunctionSpec.model_validate(_SOURCE | spec),
        stamp=RequestStamp(time=datetime.now(UTC), event_id="1"),
        set_fields=list(set_fields),
    )


def _env(applied):
    return {variable["name"]: variable.get("value") for variable in applied.spec["env"]}


def _variables(**values):
    return [{"name": name, "value": value} for name, value in values.items()]


def test_every_field_is_a_setting_or_describes_the_code():
    """A new field of the spec needs a decision."""
    of_the_code = {"source", "runtime", "handler", "signature", "subscriptions"}
    settable = {"env", *(path.partition(".")[0] for path in OPTIONS.values())}
    names = {
        LambdaFunctionSpec.model_fields[name].alias for name in LambdaFunctionSpec.model_fields
    }
    assert names == of_the_code | settable


@pytest.mark.parametrize("path", OPTIONS.values())
def test_every_setting_has_a_path_a_name_and_a_default(path):
    assert find_path(path) == path
    assert find_path(name_of(path)) == path
    # Without a burst capacity, the other numbers of the scale decide.
    assert (default_value(path) is None) == (path == "scale.burstCapacity")


def test_a_maximum_below_which_the_minimum_stays_is_replaced():
    record = _record(scale={"min": 60, "max": 100})
    assert change_record(record, _read(settings={"scale-max": 80})).spec["scale"]["max"] == 80


def test_a_burst_capacity_is_set_and_unset():
    change = _read(settings={"burst-capacity": 0})
    applied = apply_settings(_SOURCE, change, None)
    assert applied.spec["scale"]["burstCapacity"] == 0
    record = _record(set_fields=applied.set_fields, scale=applied.spec["scale"])
    assert (
        "burstCapacity" not in change_record(record, _read(unset=["burst-capacity"])).spec["scale"]
    )


def test_options_become_fields():
    change = _read(env=["A=b=c", "EMPTY="], settings={"memory": "1Gi", "scale-max": None})
    assert change.given == {
        "env.A": {"name": "A", "value": "b=c"},
        "env.EMPTY": {"name": "EMPTY", "value": ""},
        "resources.limits.memory": "1Gi",
    }


def test_the_order_of_options_is_never_a_change():
    first = apply_settings(_SOURCE, _read(env=["B=1", "A=2"]), None)
    record = _record(set_fields=first.set_fields, env=first.spec["env"])
    assert apply_settings(_SOURCE, SettingsChange(), record) == first
    assert change_record(record, _read(env=["A=2"])) == first


def test_a_variable_without_a_value_is_that_of_the_terminal(monkeypatch):
    monkeypatch.setenv("FROM_HERE", "a")
    assert _read(env=["FROM_HERE"]).given["env.FROM_HERE"] == {"name": "FROM_HERE", "value": "a"}
    monkeypatch.delenv("FROM_HERE")
    with pytest.raises(WrongUsageError, match="there is none"):
        _read(env=["FROM_HERE"])


def test_a_later_file_and_then_an_option_go_before_a_file(tmp_path):
    files = [tmp_path / "one.env", tmp_path / "two.env"]
    files[0].write_text("A=1\nB=1\nC=1\n")
    files[1].write_text("B=2\nC=2\n")
    change = _read(env_files=files, env=["C=3"])
    values = [change.given[f"env.{name}"]["value"] for name in "ABC"]
    assert values == ["1", "2", "3"]


def test_a_reference_names_a_secret_or_a_config_map():
    change = _read(env_values_from=["A=secret:tokens:a.b", "B=config-map:urls:c"])
    assert change.given["env.A"]["secretKeyRef"] == {"name": "tokens", "key": "a.b"}
    assert change.given["env.B"]["configMapKeyRef"] == {"name": "urls", "key": "c"}


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"env": ["=value"]}, "--env must be NAME=VALUE or NAME"),
        ({"env": [""]}, "--env must be NAME=VALUE or NAME"),
        ({"env": ["a b=c"]}, "--env must be NAME=VALUE or NAME"),
        ({"env": ["1A=c"]}, "the name is not that of a variable"),
        ({"env_values_from": ["A"]}, "names no key of a Secret or a config-map"),
        ({"env_values_from": ["A=secret:tokens"]}, "names no key of a Secret or a config-map"),
        ({"env_values_from": ["A=secret:tokens:a:b"]}, "names no key of a Secret or a config-map"),
        ({"env_values_from": ["A=vault:tokens:a"]}, "names no key of a Secret or a config-map"),
        ({"env_values_from": ["=secret:tokens:a"]}, "the name is not that of a variable"),
        ({"unset": ["no-setting"]}, "neither a variable nor a setting"),
        ({"unset": [""]}, "neither a variable nor a setting"),
        ({"unset": ["A"], "env": ["A=1"]}, "both set and unset"),
        ({"unset": ["memory"], "settings": {"memory": "1Gi"}}, "both set and unset"),
    ],
)
def test_a_wrong_option_is_named(options, problem):
    with pytest.raises(WrongUsageError, match=problem):
        _read(**options)


def test_what_an_option_set_stays_and_the_rest_follows_function_yaml():
    before = _record(
        ["env.SET", "scale.max"], env=_variables(SET="option", OWN="old"), scale={"max": 7}
    )
    spec = _SOURCE | {"env": _variables(OWN="new"), "scale": {"min": 1}}
    applied = apply_settings(spec, SettingsChange(), before)
    assert _env(applied) == {"OWN": "new", "SET": "option"}
    assert (applied.spec["scale"]["min"], applied.spec["scale"]["max"]) == (1, 7)
    assert applied.set_fields == ["env.SET", "scale.max"]
    assert applied.hidden == []


def test_an_option_hides_function_yaml_until_it_is_unset():
    before = _record(["env.A", "scale.max"], env=_variables(A="option"), scale={"max": 7})
    spec = _SOURCE | {"env": _variables(A="file"), "scale": {"max": 9}}
    hidden = apply_settings(spec, SettingsChange(), before)
    assert (_env(hidden), hidden.hidden) == ({"A": "option"}, ["env.A", "scale.max"])
    followed = apply_settings(spec, SettingsChange(unset=["env.A", "scale.max"]), before)
    assert (_env(followed), followed.spec["scale"]["max"]) == ({"A": "file"}, 9)
    assert (followed.set_fields, followed.hidden) == ([], [])


def test_what_the_last_request_set_without_an_option_is_not_kept():
    before = _record([], env=_variables(GONE="1"))
    assert _env(apply_settings(_SOURCE, SettingsChange(), before)) == {}


def test_a_field_that_an_option_set_and_the_record_does_not_have_is_forgotten():
    before = _record(["env.GONE"])
    assert apply_settings(_SOURCE, SettingsChange(), before).set_fields == []


def test_a_limit_leaves_the_others_at_their_defaults():
    change = SettingsChange(given={"resources.limits.memory": "1Gi"})
    applied = apply_settings(_SOURCE, change, None)
    assert applied.spec["resources"]["limits"] == {"cpu": "1", "memory": "1Gi"}


def test_a_record_changes_without_its_source():
    record = _record(["env.A"], env=_variables(A="1", OWN="1"), scale={"max": 7})
    change = SettingsChange(given={"env.B": {"name": "B", "value": "2"}}, unset=["scale.max"])
    applied = change_record(record, change)
    assert _env(applied) == {"A": "1", "OWN": "1", "B": "2"}
    assert applied.spec["source"] == _SOURCE["source"]
    assert applied.spec["scale"]["max"] == 50
    assert applied.set_fields == ["env.A", "env.B"]


@pytest.mark.parametrize(
    ("name", "value", "named"),
    [
        ("memory", "lots", "spec.resources.limits.memory"),
        ("cpu", "-1", "spec.resources.limits.cpu"),
        ("memory", "1Ki", "requests.memory"),
        ("scale-max", 0, "spec.scale.max"),
        ("scale-min", 51, "min must not be above max"),
        ("request-timeout", 601, "spec.timeoutSeconds"),
    ],
)
def test_a_bad_value_is_rejected_with_its_field(name, value, named):
    change = _read(settings={name: value})
    with pytest.raises(WrongUsageError, match=named):
        change_record(_record(), change)


def test_names_of_credentials_are_found_in_plain_text_only():
    change = _read(
        env=["GITHUB_TOKEN=x", "apikey=x", "DB_PASSWORD=x", "TOKENS_PER_PAGE=5", "EMPTY_SECRET="],
        env_values_from=["REAL_TOKEN=secret:tokens:a"],
    )
    assert change.credentials == ["GITHUB_TOKEN", "apikey", "DB_PASSWORD"]
