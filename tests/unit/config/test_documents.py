"""What docs/OPERATIONS.md and docs/SECURITY_MODEL.md say of settings and rights is so."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import get_type_hints

import pytest

from knative_lambda.settings.environment import _duration
from tests.helpers.dev_overlay import OBJECTS, REPOSITORY
from tests.unit.config.helpers.settings_classes import SETTINGS

OPERATIONS = (REPOSITORY / "docs" / "OPERATIONS.md").read_text()
SECURITY_MODEL = (REPOSITORY / "docs" / "SECURITY_MODEL.md").read_text()
DEFAULTS = dict(re.findall(r"^\| `(KN_LAMBDA_\w+)` \| ([^|]+?) \|", OPERATIONS, re.MULTILINE))
RIGHTS = re.findall(
    r"^\| ([-\w]+) \| ([-\w ]+) \| (\w+[/\w]*: [^|]+) \|$", SECURITY_MODEL, re.MULTILINE
)


def default_of(name):
    field = name.removeprefix("KN_LAMBDA_").lower()
    cls = next(cls for cls in SETTINGS if field in get_type_hints(cls))
    return getattr(cls, field, "required")


def test_every_setting_is_documented():
    names = {f"KN_LAMBDA_{name.upper()}" for cls in SETTINGS for name in get_type_hints(cls)}
    assert DEFAULTS.keys() == names


@pytest.mark.parametrize("name", sorted(DEFAULTS.keys() - {"KN_LAMBDA_BUILDER_VERSION"}))
def test_a_documented_default_is_the_default(name):
    default, said = default_of(name), DEFAULTS[name].strip("`")
    if isinstance(default, timedelta):
        assert _duration(said) == default
    else:
        shown = str(default).lower() if isinstance(default, bool) else str(default)
        assert said == ("none" if default is None else shown)


def granted():
    """(account, place) -> rights, as config/ has them."""
    roles = {
        (item["metadata"].get("namespace"), item["metadata"]["name"]): {
            (resource, verb)
            for rule in item["rules"]
            for resource in rule["resources"]
            for verb in rule["verbs"]
        }
        for item in OBJECTS
        if item["kind"] in {"Role", "ClusterRole"}
    }
    for item in OBJECTS:
        if item["kind"] not in {"RoleBinding", "ClusterRoleBinding"}:
            continue
        namespace = item["metadata"].get("namespace")
        reference = item["roleRef"]
        role = (namespace if reference["kind"] == "Role" else None, reference["name"])
        place = {"default": "each tenant", None: "the cluster"}.get(namespace, namespace)
        for subject in item["subjects"]:
            yield (subject["name"], place), roles[role]


def test_the_table_of_rights_is_what_config_grants():
    documented = {(account, place): rights_in_words(rights) for account, place, rights in RIGHTS}
    assert documented == dict(granted())


def rights_in_words(text):
    return {
        (resource.strip(), verb.strip())
        for part in text.split(";")
        for resource, _, verbs in [part.partition(":")]
        for verb in verbs.split(",")
    }


@pytest.mark.parametrize("name", ["view", "edit", "admin"])
def test_the_table_of_peoples_roles_is_what_config_has(name):
    rows = re.findall(r"^\| `knative-lambda-(\w+)` \| ([^|]+) \|$", SECURITY_MODEL, re.MULTILINE)
    said = dict(rows)
    if meant := re.fullmatch(r"as `knative-lambda-(\w+)`", said[name]):
        said[name] = said[meant[1]]
    (role,) = [item for item in OBJECTS if item["metadata"]["name"] == f"knative-lambda-{name}"]
    assert rights_in_words(said[name]) == {
        (resource, verb)
        for rule in role["rules"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }


def test_the_log_lines_to_look_for_are_written():
    code = "\n".join(
        path.read_text() for path in (REPOSITORY / "shared/src/knative_lambda").rglob("*.py")
    )
    lines = re.findall(r"log line `([^`]+)`", OPERATIONS)
    assert lines
    assert all(f'"{line}' in code for line in lines)
