"""What Argo CD says of a LambdaFunction, by the script of config/gitops in a real Lua.

Argo CD runs Lua 5.1 without the libraries that reach its machine.
"""

from __future__ import annotations

import pytest
import yaml
from lupa import lua51

from tests.helpers.dev_overlay import OBJECTS, REPOSITORY

FILE = REPOSITORY / "config" / "gitops" / "argocd-cm.yaml"
KEY = "resource.customizations.health.knative-lambda.dev_LambdaFunction"
SCRIPT = yaml.safe_load(FILE.read_text())["data"][KEY]


def condition(type_, status, message=""):
    return {"type": type_, "status": status, "reason": "AReason", "message": message}


def record(*conditions, generation=2, observed=2, **metadata):
    status = {"observedGeneration": observed, "conditions": list(conditions)}
    return {"metadata": {"generation": generation, **metadata}, "status": status}


def health(record):
    lua = lua51.LuaRuntime(register_eval=False, register_builtins=False)
    for library in ("os", "io", "package", "require", "debug", "python", "string", "math"):
        lua.globals()[library] = None
    lua.globals()["obj"] = lua.table_from(record, recursive=True)
    said = lua.execute(SCRIPT)
    return said["status"], said["message"]


READY = condition("Ready", "True")
STALLED = condition("Stalled", "True", "the build failed")


def test_a_record_that_nobody_has_seen_yet_is_under_way():
    assert health({"metadata": {"generation": 1}})[0] == "Progressing"


def test_a_status_without_a_generation_is_of_no_spec():
    new = {"metadata": {"generation": 1}, "status": {"conditions": [READY]}}
    assert health(new)[0] == "Progressing"


def test_the_success_of_an_older_spec_is_not_that_of_this_one():
    assert health(record(READY, generation=3, observed=2))[0] == "Progressing"


def test_the_failure_of_an_older_spec_is_not_that_of_this_one():
    assert health(record(STALLED, generation=3, observed=2))[0] == "Progressing"


def test_a_ready_lambda_is_healthy():
    assert health(record(READY))[0] == "Healthy"


def test_a_build_that_goes_on_is_under_way():
    building = condition("Ready", "Unknown", "builds")
    working = condition("Reconciling", "True")
    assert health(record(building, working)) == ("Progressing", "builds")


def test_a_failure_is_degraded_in_the_words_of_ready():
    failed = condition("Ready", "False", "RequirementNotFound: no such package")
    assert health(record(failed, STALLED)) == (
        "Degraded", "RequirementNotFound: no such package",
    )  # fmt: skip


def test_a_failure_counts_also_while_the_version_of_before_serves():
    assert health(record(READY, STALLED))[0] == "Degraded"


def test_what_is_not_ready_and_has_not_failed_is_under_way():
    assert health(record(condition("Ready", "False", "waits")))[0] == "Progressing"
    assert health(record())[0] == "Progressing"


def test_a_record_that_is_being_deleted_is_under_way_whatever_it_says():
    deleted = record(READY, deletionTimestamp="2026-01-15T09:30:00Z")
    assert health(deleted) == ("Progressing", "is being deleted")


@pytest.mark.parametrize("status", [{}, {"observedGeneration": 2}])
def test_a_status_that_lacks_parts_is_no_error(status):
    assert health({"metadata": {"generation": 2}, "status": status})[0] == "Progressing"


def test_the_file_names_the_kind_as_its_definition_does():
    (definition,) = [each for each in OBJECTS if each["kind"] == "CustomResourceDefinition"]
    spec = definition["spec"]
    assert KEY.endswith(f".{spec['group']}_{spec['names']['kind']}")
    assert list(yaml.safe_load(FILE.read_text())) == ["data"]
