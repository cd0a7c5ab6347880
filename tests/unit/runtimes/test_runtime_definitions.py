"""Every runtime's folder is complete, and so is every example."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from images.dockerfile import read_config
from lambda_builder.runtime import RUNTIME_LABEL, languages_setting, read_languages
from lambda_builder.runtime_file import read_language

REPOSITORY = Path(__file__).parents[3]
RUNTIMES = sorted(path.parent for path in (REPOSITORY / "runtimes").glob("*/runtime.toml"))
EXAMPLES = sorted(path.parent for path in (REPOSITORY / "examples").glob("*/function.yaml"))
TEMPLATES = [folder for runtime in RUNTIMES for folder in sorted(runtime.glob("templates/*/"))]


def name_of(path: Path) -> str:
    return str(path.relative_to(REPOSITORY))


@pytest.mark.parametrize("runtime", RUNTIMES, ids=name_of)
def test_a_runtime_names_files_that_are_there(runtime: Path) -> None:
    language = read_language(runtime / "runtime.toml")
    assert language.name == runtime.name
    start = language.entrypoint[1].removeprefix("/runtime/")
    assert (language.server / start).is_file()
    assert (runtime / language.recipe[1]).is_file()
    assert (runtime / "Dockerfile").is_file()
    assert (runtime / "templates" / "event").is_dir()


def test_no_two_languages_have_a_name_in_common() -> None:
    languages = read_languages(REPOSITORY / "runtimes")
    names = [name for language in languages for name in (language.name, *language.aliases)]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("template", TEMPLATES, ids=name_of)
def test_a_runtime_finds_its_own_templates_and_default_handler(template: Path) -> None:
    language = read_language(template.parents[1] / "runtime.toml")
    assert any((template / marker).is_file() for marker in language.source.markers)
    suffixes = language.source.suffixes
    assert any((template / f"{language.default_module}{suffix}").is_file() for suffix in suffixes)


@pytest.mark.parametrize("runtime", RUNTIMES, ids=name_of)
def test_the_base_image_is_told_the_same_wherever_it_is_made(runtime: Path) -> None:
    language = read_language(runtime / "runtime.toml")
    argument = language.images.official.argument
    config = read_config(runtime / "Dockerfile", {f"{argument}_VERSION": language.versions[0]})
    variables = dict(variable.split("=", 1) for variable in config["Env"])
    assert variables.items() >= language.environment.items()
    assert config["Entrypoint"] == list(language.entrypoint)
    assert config["Labels"] == {RUNTIME_LABEL: f"{language.name}{language.versions[0]}"}


def test_the_settings_of_config_describe_languages_as_their_folders_do() -> None:
    """Whoever adds a language need not touch them: `make images` writes the setting anew."""
    (settings,) = yaml.safe_load_all((REPOSITORY / "config/base/settings.yaml").read_text())
    configured = json.loads(settings["data"]["KN_LAMBDA_LANGUAGES"])
    described = json.loads(languages_setting(read_languages(REPOSITORY / "runtimes")))
    assert configured
    assert [language for language in configured if language not in described] == []


@pytest.mark.parametrize("folder", EXAMPLES, ids=name_of)
def test_an_example_can_be_deployed_and_invoked(folder: Path) -> None:
    function = yaml.safe_load((folder / "function.yaml").read_text())
    assert function["apiVersion"] == "knative-lambda.dev/v1alpha1"
    assert function["kind"] == "LambdaFunction"
    assert folder.name == function["metadata"]["name"]
    spec = function["spec"]
    module = spec["handler"].rpartition(".")[0]
    assert list(folder.glob(f"{module}.*"))
    languages = [runtime.name for runtime in RUNTIMES]
    assert spec["runtime"] in languages
    event = json.loads((folder / "event.json").read_text())
    assert event["specversion"] == "1.0"
    assert {"type": event["type"]} in spec["subscriptions"]
