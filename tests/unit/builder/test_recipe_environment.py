"""A recipe is told what the contract says and nothing else."""

from __future__ import annotations

from pathlib import Path

import packaging
import pytest

from lambda_builder.recipe import recipe_environment, source_recipe_environment
from lambda_builder.runtime import find_runtime
from lambda_builder.settings import Credentials, InstallSettings
from tests.helpers.workspaces import write_files, write_runtime

RUNTIMES = Path(__file__).parents[3] / "runtimes"


@pytest.fixture
def environment_of(tmp_path):
    write_runtime(tmp_path / "runtimes")

    def make(
        machine,
        name="tiny1.0",
        runtimes=tmp_path / "runtimes",
        environment_of_step=recipe_environment,
        **changes,
    ):
        values = {
            "package_index_url": None,
            "allow_source_packages": False,
            "index_credentials": None,
            "policy": {},
        } | changes
        settings = InstallSettings(
            workspace=tmp_path,
            runtime=name,
            runtimes_dir=runtimes,
            timeout_seconds=5,
            machine=machine,
            **values,
        )
        runtime = find_runtime(name, runtimes)
        return environment_of_step(settings, runtime, tmp_path / "packages", tmp_path / "step")

    return make


GENERAL = ["SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "https_proxy", "NO_PROXY"]
OF_INSTALLERS = {
    "python3.11": [
        "PIP_INDEX_URL",
        "PIP_EXTRA_INDEX_URL",
        "PIP_FIND_LINKS",
        "PIP_CERT",
        "PIP_CACHE_DIR",
        "PIP_CONFIG_FILE",
        "UV_DEFAULT_INDEX",
        "UV_INDEX",
        "UV_CACHE_DIR",
        "UV_SYSTEM_CERTS",
        "UV_NATIVE_TLS",
    ],
    "nodejs20": [
        "NODE_EXTRA_CA_CERTS",
        "npm_config_registry",
        "npm_config_cafile",
        "npm_config_cache",
        "NPM_CONFIG_USERCONFIG",
        "npm_config_@scope:registry",
    ],
}


@pytest.mark.parametrize(
    ("runtime", "name"),
    [(runtime, name) for runtime, own in OF_INSTALLERS.items() for name in [*GENERAL, *own]],
)
def test_settings_that_installers_need_reach_the_recipe(environment_of, runtime, name):
    assert environment_of({name: "value"}, runtime, RUNTIMES)[name] == "value"


def test_settings_of_another_language_s_installer_do_not_reach_it(environment_of):
    machine = dict.fromkeys([name for own in OF_INSTALLERS.values() for name in own], "value")
    assert "value" not in environment_of(machine).values()


@pytest.mark.parametrize(
    "name",
    [
        "CONTEXT_URL",
        "DOCKER_CONFIG",
        "AWS_SECRET_ACCESS_KEY",
        "PYTHONHOME",
        "NODE_OPTIONS",
        "LD_PRELOAD",
        "UV_PUBLISH_TOKEN",
        "PIP_TARGET",
        "UV_PYTHON",
        "npm_config_prefix",
        "npm_config_location",
        "KUBERNETES_SERVICE_HOST",
        "TERMINATION_MESSAGE_PATH",
    ],
)
@pytest.mark.parametrize("runtime", OF_INSTALLERS)
def test_nothing_else_reaches_the_recipe(environment_of, runtime, name):
    assert name not in environment_of({name: "secret"}, runtime, RUNTIMES)


def test_the_recipe_finds_the_builder_s_own_packages_and_not_the_machine_s(environment_of):
    folder = environment_of({"PYTHONPATH": "/secret"})["PYTHONPATH"]
    assert folder == str(Path(packaging.__file__).parents[1])


def test_the_contract_s_names_cannot_be_overridden(environment_of, tmp_path):
    environment = environment_of({"HOME": "/root", "TMPDIR": "/tmp", "SOURCE_DIR": "/etc"})
    assert environment["SOURCE_DIR"] == str(tmp_path / "source")
    assert environment["HOME"].startswith(str(tmp_path))
    assert environment["TMPDIR"].startswith(str(tmp_path))


def test_options_are_absent_unless_they_are_set(environment_of):
    assert not {"PACKAGE_INDEX_URL", "ALLOW_SOURCE_PACKAGES"} & set(environment_of({}))
    environment = environment_of(
        {}, package_index_url="http://127.0.0.1/simple", allow_source_packages=True
    )
    assert environment["PACKAGE_INDEX_URL"] == "http://127.0.0.1/simple"
    assert environment["ALLOW_SOURCE_PACKAGES"] == "true"


def test_an_installer_s_own_settings_file_is_still_found(environment_of, tmp_path):
    home = write_files(tmp_path / "home", {".npmrc": ""})
    environment = environment_of({"HOME": str(home)}, "nodejs20", RUNTIMES)
    assert environment["npm_config_userconfig"] == str(home / ".npmrc")
    chosen = {"HOME": str(home), "NPM_CONFIG_USERCONFIG": "/other"}
    assert "npm_config_userconfig" not in environment_of(chosen, "nodejs20", RUNTIMES)


def test_policy_and_credentials_reach_the_recipe(environment_of):
    policy = {"PACKAGE_URL_PREFIXES": "[]", "ALLOW_GIT_PACKAGES": "true", "REQUIRE_HASHES": "true"}
    credentials = Credentials(username="u", password="hunter2")
    environment = environment_of({}, policy=policy, index_credentials=credentials)
    assert environment.items() >= policy.items()
    assert environment["PACKAGE_INDEX_USERNAME"] == "u"
    assert environment["PACKAGE_INDEX_PASSWORD"] == "hunter2"
    assert "hunter2" not in repr(credentials)


@pytest.mark.parametrize("runtime", OF_INSTALLERS)
def test_what_builds_code_of_others_gets_nothing_of_the_machine_but_its_path(
    environment_of, runtime
):
    machine = dict.fromkeys([*GENERAL, *OF_INSTALLERS[runtime], "PATH"], "hunter2")
    environment = environment_of(
        machine,
        runtime,
        RUNTIMES,
        source_recipe_environment,
        package_index_url="http://hunter2",
        index_credentials=Credentials(username="hunter2", password="hunter2"),
        policy={"PACKAGE_URL_PREFIXES": '["http://hunter2"]'},
        allow_source_packages=True,
    )
    assert environment.pop("PATH").endswith(":hunter2")
    assert "hunter2" not in str(environment)
    assert environment["ALLOW_SOURCE_PACKAGES"] == "true"
