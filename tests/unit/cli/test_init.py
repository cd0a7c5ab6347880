"""`kn-lambda init` writes the files of a new function, all or none."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest
import yaml

from kn_lambda.errors import CommandError, ExitCode
from kn_lambda.languages import languages
from kn_lambda.templates import copy_template


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path, monkeypatch):
    folder = tmp_path / "projects"
    folder.mkdir()
    monkeypatch.chdir(folder)


def spec_of(folder):
    return yaml.safe_load((Path(folder) / "function.yaml").read_text())["spec"]


def files_below(folder):
    return {path.relative_to(folder).as_posix() for path in Path(folder).rglob("*")}


def test_a_function_has_the_name_of_its_folder(kn_lambda):
    assert kn_lambda("init", "greeter", "--runtime", "nodejs").exit_code == ExitCode.OK
    manifest = yaml.safe_load(Path("greeter/function.yaml").read_text())
    assert manifest["metadata"]["name"] == "greeter"
    assert json.loads(Path("greeter/package.json").read_text())["name"] == "greeter"
    assert "my-function" not in Path("greeter/README.md").read_text()


def test_what_comes_next_can_be_copied_into_a_shell(kn_lambda):
    Path("my code").mkdir()
    told = kn_lambda("init", "my code/greeter").stdout
    assert "kn-lambda run 'my code/greeter', or kn-lambda deploy 'my code/greeter';" in told


@pytest.mark.parametrize("name", ["Not A Name", "", "1st"])
def test_a_name_that_no_function_can_have_is_rejected(kn_lambda, name):
    done = kn_lambda("init", name)
    assert done.exit_code == ExitCode.USAGE
    assert f"invalid function name '{name}'" in done.stderr
    assert files_below(".") == set()


def test_files_that_exist_are_all_named_and_nothing_is_written(kn_lambda):
    Path("greeter").mkdir()
    Path("greeter/main.py").write_text("mine")
    Path("greeter/README.md").write_text("mine")
    Path("greeter/notes.txt").write_text("mine")
    done = kn_lambda("init", "greeter", "--runtime", "python")
    assert done.exit_code == ExitCode.USAGE
    assert "greeter already has README.md, main.py; nothing was changed" in done.stderr
    assert files_below("greeter") == {"main.py", "README.md", "notes.txt"}
    assert Path("greeter/main.py").read_text() == "mine"


def test_the_current_folder_may_hold_other_files(kn_lambda, tmp_path, monkeypatch):
    folder = tmp_path / "My Greeter"
    folder.mkdir()
    monkeypatch.chdir(folder)
    Path("notes.txt").write_text("mine")
    done = kn_lambda("init", ".", "--runtime", "python", "-o", "json")
    document = json.loads(done.stdout)
    assert (document["name"], document["folder"]) == ("my-greeter", ".")
    assert files_below(".") - {"notes.txt"} == set(document["files"])


def test_a_file_in_place_of_the_folder_is_named(kn_lambda):
    Path("greeter").write_text("mine")
    done = kn_lambda("init", "greeter")
    assert done.exit_code == ExitCode.USAGE
    assert "greeter is not a folder" in done.stderr


@pytest.mark.parametrize(
    ("asked", "written"),
    [
        ("python", "python"), ("python3.13", "python3.13"), ("nodejs", "nodejs"),
        ("node", "nodejs"), ("node22", "nodejs22"), ("nodejs22", "nodejs22"),
    ],
)  # fmt: skip
def test_the_runtime_that_was_asked_for_is_that_of_function_yaml(kn_lambda, asked, written):
    assert kn_lambda("init", "greeter", "--runtime", asked).exit_code == ExitCode.OK
    assert spec_of("greeter")["runtime"] == written


@pytest.mark.parametrize(
    ("asked", "way_out"),
    [
        ("ruby", "choose one of nodejs, node, python"),
        ("python2.7", "choose one of python3.11, python3.12"),
        ("node9", "choose one of nodejs18, nodejs20"),
    ],
)
def test_a_runtime_that_nobody_knows_is_answered_with_those_there_are(kn_lambda, asked, way_out):
    done = kn_lambda("init", "greeter", "--runtime", asked)
    assert done.exit_code == ExitCode.USAGE
    assert way_out in " ".join(done.stderr.split())
    assert files_below(".") == set()


@pytest.mark.parametrize(
    ("option", "value", "way_out"),
    [
        ("--template", "queue", "Choose one of cron, event, http."),
        ("--template", "../event", "Choose one of cron, event, http."),
        ("--ci", "jenkins", "Choose one of github, gitlab."),
        ("--ci", "..", "Choose one of github, gitlab."),
    ],
)
def test_a_template_that_does_not_exist_is_answered_with_those_there_are(
    kn_lambda, option, value, way_out
):
    done = kn_lambda("init", "greeter", option, value)
    assert done.exit_code == ExitCode.USAGE
    assert f"{option} {value!r} does not exist" in done.stderr
    assert way_out in done.stderr
    assert files_below(".") == set()


def test_the_template_decides_the_signature(kn_lambda):
    assert kn_lambda("init", "site", "--template", "http").exit_code == ExitCode.OK
    assert spec_of("site")["signature"] == "http"
    assert kn_lambda("init", "nightly", "--template", "cron").exit_code == ExitCode.OK
    schedule = yaml.safe_load(Path("nightly/schedule.yaml").read_text())
    assert schedule["spec"]["sink"]["ref"]["name"] == "nightly"


@pytest.mark.parametrize("system", ["github", "gitlab"])
def test_a_pipeline_tests_with_the_version_of_the_function(kn_lambda, system):
    done = kn_lambda("init", "greeter", "--runtime", "python3.12", "--ci", system, "-o", "json")
    (pipeline,) = (name for name in json.loads(done.stdout)["files"] if name.startswith(".git"))
    text = Path("greeter", pipeline).read_text()
    assert "3.12" in text
    assert "my-function" not in pipeline + text
    assert "{version}" not in text


def test_a_pipeline_inside_of_another_repository_is_said_to_run_nowhere(kn_lambda):
    Path(".git").mkdir()
    done = kn_lambda("init", "greeter", "--ci", "github")
    assert "runs no pipeline in greeter" in done.stderr
    Path("other/.git").mkdir(parents=True)
    assert "pipeline" not in kn_lambda("init", "other", "--ci", "github").stderr


def test_no_file_is_written_through_a_link_of_a_foreign_folder(kn_lambda, tmp_path):
    """A repository that somebody cloned may link one of these names to a place elsewhere."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    Path("cloned").mkdir()
    Path("cloned/.github").symlink_to(elsewhere)
    Path("cloned/main.py").symlink_to(elsewhere / "new.py")
    done = kn_lambda("init", "cloned", "--runtime", "python", "--ci", "github")
    assert done.exit_code == ExitCode.USAGE
    assert "main.py, .github/workflows/cloned.yaml" in done.stderr
    assert files_below(elsewhere) == set()
    assert files_below("cloned") == {".github", "main.py"}


def test_an_error_in_the_middle_leaves_nothing_behind(tmp_path):
    folder = tmp_path / "strange"
    for name in ("templates/event/main.x", "templates/event/a", "ci/own/main.x/pipeline"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    strange = dataclasses.replace(languages()[0], folder=folder)
    with pytest.raises(CommandError, match=r"/main\.x/pipeline: Not a directory"):
        copy_template(tmp_path / "new" / "greeter", "greeter", strange, ci="own")
    assert not (tmp_path / "new").exists()
