"""A language is a folder of `runtimes/`: Perl works with no line about it in any package."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.embedded.helpers.embedded_platform import EmbeddedPlatform
from tests.embedded.helpers.running_platform import CHECKOUT

if TYPE_CHECKING:
    from collections.abc import Iterator

PERL = Path(__file__).with_name("helpers") / "perl_runtime"


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """This checkout, with Perl in place of all other languages."""
    if shutil.which("perl") is None:
        pytest.skip("perl is not installed: apt-get install perl")
    folder = tmp_path_factory.mktemp("checkout")
    # A copy, since the command line finds the languages beside the platform's own files.
    shutil.copytree(CHECKOUT / "embedded" / "src", folder / "embedded" / "src")
    shutil.copytree(PERL, folder / "runtimes" / "perl")
    for name in ("config", "functions"):
        (folder / name).symlink_to(CHECKOUT / name)
    return folder


@pytest.fixture(scope="module")
def perl_platform(checkout: Path, tmp_path_factory) -> Iterator[EmbeddedPlatform]:
    sources = {"PYTHONPATH": str(checkout / "embedded" / "src")}
    running = EmbeddedPlatform(tmp_path_factory.mktemp("platform") / "home", sources)
    try:
        running.start("--installation", str(checkout))
        yield running
    finally:
        running.close()


def test_a_function_from_the_template_is_detected_built_and_served(perl_platform, tmp_path):
    folder = tmp_path / "greet"
    created = perl_platform.kn_lambda("init", folder, "--runtime", "perl")
    assert created.returncode == 0, created.stderr
    assert "from greet" in (folder / "main.pl").read_text()
    (folder / "old.bak").touch()
    (folder / ".cpanauth").touch()

    deployed = perl_platform.kn_lambda("deploy", folder)

    assert deployed.returncode == 0, deployed.stderr
    assert "packed 1 file" in deployed.stderr
    assert ".cpanauth" in deployed.stderr
    assert perl_platform.record("greet")["spec"]["runtime"] == "perl5"
    invoked = perl_platform.kn_lambda("invoke", "greet", "--data", "Ada")
    assert invoked.stdout.strip() == "Hello, Ada, from greet", invoked.stderr


def test_its_recipe_installs_packages_and_its_compiler_runs(perl_platform, tmp_path):
    files = {
        "cpanfile": "Greeting\n",
        "main.pl": "use Greeting;\nsub handler { return Greeting::word() . ', ' . "
        'join("", do { local @ARGV = "$ENV{FUNCTION_ROOT}/modules/.compiled"; <> }) }\n1;\n',
        "function.yaml": (PERL / "templates" / "http" / "function.yaml").read_text(),
    }
    for name, text in files.items():
        (tmp_path / name).write_text(text)

    deployed = perl_platform.kn_lambda("deploy", tmp_path, "--name", "packed")

    assert deployed.returncode == 0, deployed.stderr
    assert perl_platform.kn_lambda("invoke", "packed").stdout == (
        "Greeting is installed, ./Greeting.pm\n"
    )
    log = perl_platform.kn_lambda("logs", "packed", "--build").stdout
    assert "installing Greeting for perl 5" in log

    (tmp_path / "cpanfile").write_text("MissingModule\n")
    failed = perl_platform.kn_lambda("deploy", tmp_path, "--name", "packed", "-o", "json")
    assert json.loads(failed.stdout)["reason"] == "PackageNotFound"


@pytest.mark.parametrize("is_stored", [False, True], ids=["sent", "stored"])
def test_one_file_of_it_is_a_source_that_names_the_handler(perl_platform, tmp_path, is_stored):
    script = tmp_path / f"shout-{is_stored}.pl".lower()
    script.write_text('sub handler { return uc "hello" }\n1;\n')
    options = ["--signature", "http", "--name", script.stem, "--runtime", "perl"]
    source = [str(script)]
    if is_stored:
        stored = perl_platform.home / "storage" / "sources" / "default" / script.name
        stored.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(script, stored)
        source = ["--source", stored.as_uri()]

    deployed = perl_platform.kn_lambda("deploy", *source, *options)

    assert deployed.returncode == 0, deployed.stderr
    assert perl_platform.kn_lambda("invoke", script.stem).stdout.strip() == "HELLO"


def test_a_source_of_an_unknown_language_names_the_one_there_is(perl_platform, tmp_path):
    (tmp_path / "main.py").touch()
    failed = perl_platform.kn_lambda("deploy", tmp_path)
    assert failed.returncode != 0
    assert "cannot detect the language" in failed.stderr
    assert "--runtime perl." in failed.stderr


def test_the_doctor_looks_for_its_interpreter(perl_platform):
    checks = json.loads(perl_platform.kn_lambda("doctor", "-o", "json").stdout)
    (perl,) = (check for check in checks if check["name"] == "Perl")
    assert perl["verdict"] == "ok"
    assert perl["found"].startswith("v5.")


def test_a_folder_that_is_not_well_described_is_named_by_file_and_field(checkout, tmp_path):
    runtimes = tmp_path / "runtimes"
    shutil.copytree(checkout / "runtimes", runtimes)
    with (runtimes / "perl" / "runtime.toml").open("a") as file:
        file.write('outputs = [".compiled"]\n')
    for name in ("config", "functions"):
        (tmp_path / name).symlink_to(CHECKOUT / name)
    command = [sys.executable, "-m", "lambda_embedded", "--home", str(tmp_path / "home")]
    ports = ["--port", "0", "--broker-port", "0", "--api-port", "0"]
    ended = subprocess.run(
        [*command, *ports, "--installation", str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert ended.returncode == 1
    assert "perl/runtime.toml" in ended.stderr
    assert "compiler.outputs is not a field" in ended.stderr
    assert "Traceback" not in ended.stderr
