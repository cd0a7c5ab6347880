from __future__ import annotations

import pytest

from kn_lambda.deploying.deploy_request import Overrides, make_deploy_request
from kn_lambda.deploying.runtimes import resolve_runtime
from kn_lambda.deploying.validation import validate_spec
from kn_lambda.errors import WrongUsageError

_MANIFEST = """\
apiVersion: knative-lambda.dev/v1alpha1
kind: LambdaFunction
metadata:
  name: hello
  namespace: team-a
spec:
  runtime: python
"""


def _folder(tmp_path, manifest=_MANIFEST, **files):
    folder = tmp_path / "my_App"
    folder.mkdir()
    if manifest:
        (folder / "function.yaml").write_text(manifest)
    for name, content in files.items():
        (folder / name.replace("_py", ".py")).write_text(content)
    return folder


def test_a_secret_of_the_platform_is_refused_before_anything_is_sent():
    reference = {"name": "knative-lambda-pull", "key": "k"}
    spec = {"runtime": "python3.11", "source": {"uri": "s3://b/k"}}
    with pytest.raises(WrongUsageError, match=r"spec.env.0.secretKeyRef.name: begins with"):
        validate_spec(spec | {"env": [{"name": "A", "secretKeyRef": reference}]})


def test_function_yaml_says_what_the_options_leave_open(tmp_path):
    request = make_deploy_request(_folder(tmp_path, main_py=""), None, Overrides())
    assert (request.name, request.namespace, request.spec["runtime"]) == (
        "hello",
        "team-a",
        "python",
    )
    assert request.files is not None


def test_options_go_before_function_yaml(tmp_path):
    overrides = Overrides(name="other", runtime="python3.9")
    request = make_deploy_request(_folder(tmp_path), None, overrides)
    assert (request.name, request.spec["runtime"]) == ("other", "python3.9")


def test_a_folder_without_function_yaml_is_named_and_recognised_by_what_it_holds(tmp_path):
    request = make_deploy_request(_folder(tmp_path, manifest="", main_py=""), None, Overrides())
    assert (request.name, request.spec) == ("my-app", {"runtime": "python"})


def test_a_file_of_another_name_is_its_own_module(tmp_path):
    script = tmp_path / "greet.py"
    script.touch()
    request = make_deploy_request(script, None, Overrides())
    assert (request.name, request.spec) == (
        "greet",
        {"runtime": "python", "handler": "greet.handler"},
    )
    assert (
        make_deploy_request(script, None, Overrides(handler="greet.app")).spec["handler"]
        == "greet.app"
    )


@pytest.mark.parametrize("stem", ["calendar", "my.function", "my-function", "2024"])
def test_a_single_file_of_any_name_is_its_own_module(tmp_path, stem):
    (tmp_path / f"{stem}.py").touch()
    request = make_deploy_request(tmp_path / f"{stem}.py", None, Overrides())
    assert request.spec["handler"] == f"{stem}.handler"
    validate_spec({**request.spec, "runtime": "python3.11", "source": {"uri": "s3://b/x.py"}})


@pytest.mark.parametrize(
    "name", ["my function.py", "caf\u00e9.py", ".hidden.py", "a..b.py", "a$.js"]
)
def test_a_single_file_that_no_handler_can_name_is_rejected_by_its_name(tmp_path, name):
    (tmp_path / name).touch()
    with pytest.raises(
        WrongUsageError, match="is not a valid file name for a handler"
    ) as rejection:
        make_deploy_request(tmp_path / name, None, Overrides())
    assert "Rename the file" in str(rejection.value.hint)
    # Somebody who names a handler knows what it is about.
    make_deploy_request(tmp_path / name, None, Overrides(handler="main.handler"))


@pytest.mark.parametrize("name", ["main.py", "index.js"])
def test_a_file_of_the_usual_name_needs_no_handler(tmp_path, name):
    (tmp_path / name).touch()
    assert "handler" not in make_deploy_request(tmp_path / name, None, Overrides()).spec


def test_a_language_has_its_usual_file_under_each_of_its_names(tmp_path):
    (tmp_path / "index.js").touch()
    for runtime in ("nodejs", "node", "node20"):
        overrides = Overrides(runtime=runtime)
        assert "handler" not in make_deploy_request(tmp_path / "index.js", None, overrides).spec


def test_a_folder_that_could_be_anything_asks_for_its_runtime(tmp_path):
    with pytest.raises(WrongUsageError) as raised:
        make_deploy_request(_folder(tmp_path, manifest="", readme=""), None, Overrides())
    assert "--runtime" in raised.value.hint


def test_a_source_in_storage_or_a_finished_image_leaves_the_files_here(tmp_path):
    folder = _folder(tmp_path)
    request = make_deploy_request(folder, None, Overrides(source="s3://bucket/key.zip"))
    assert (request.files, request.spec["source"]) == (None, {"uri": "s3://bucket/key.zip"})
    with pytest.raises(WrongUsageError, match="--source and --image both"):
        make_deploy_request(folder, None, Overrides(source="s3://a/b", image="r@sha256:x"))


def test_a_source_on_a_host_is_named_with_its_hash_and_what_opens_it(tmp_path):
    folder = _folder(tmp_path)
    uri = "https://example.com/a.zip"
    given = Overrides(source=uri, source_sha256="a" * 64, source_secret="deploy-token")
    assert make_deploy_request(folder, None, given).spec["source"] == {
        "uri": uri,
        "sha256": "a" * 64,
        "secretRef": {"name": "deploy-token"},
    }
    for alone in (Overrides(source_sha256="a" * 64), Overrides(source_secret="deploy-token")):
        with pytest.raises(WrongUsageError, match="are for --source"):
            make_deploy_request(folder, None, alone)


# Lists of aliases of lists: a text of 10^29 words.
_BOMB = "status:\n- &a0 [x]\n" + "".join(
    f"- &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 30)
)


@pytest.mark.parametrize(
    ("manifest", "problem"),
    [
        ("a: [", "line 1"),
        (_MANIFEST.replace("name: hello", "name: ''"), "metadata.name is empty"),
        ("just text", "not a YAML object"),
        (_MANIFEST.replace("v1alpha1", "v9"), "apiVersion must be"),
        (_MANIFEST.replace("kind: LambdaFunction", "kind: Service"), "kind must be LambdaFunction"),
        (_MANIFEST.replace("name: hello", "name: 5"), "metadata.name must be a string"),
        (_MANIFEST + "sepc: {}\n", "unknown field sepc"),
        (_MANIFEST.replace("spec:\n", "spec: 5\nstatus:\n"), "spec must be an object"),
        ("a: " + "[" * 5000, "too many levels"),
        (f"{_BOMB}apiVersion: *a29\n", "apiVersion must be"),
        (_BOMB + _MANIFEST.replace("name: hello", "name: *a29"), "must be a string"),
    ],
    ids=lambda text: text[-40:],
)
def test_a_wrong_manifest_is_rejected_with_the_place(tmp_path, manifest, problem):
    with pytest.raises(WrongUsageError, match=problem):
        make_deploy_request(_folder(tmp_path, manifest=manifest), None, Overrides())


_INSTALLED = ["python3.9", "python3.12", "python3.11", "nodejs20"]


@pytest.mark.parametrize(
    ("asked", "runtime"),
    [
        ("python", "python3.12"),
        ("python3.9", "python3.9"),
        ("nodejs", "nodejs20"),
        ("node", "nodejs20"),
        ("node20", "nodejs20"),
    ],
)
def test_a_language_alone_is_its_newest_runtime(asked, runtime):
    assert resolve_runtime(asked, _INSTALLED) == runtime


@pytest.mark.parametrize("asked", ["python2.7", "py", "ruby", "node9", ""])
def test_a_runtime_that_is_not_installed_is_rejected_with_those_that_are(asked):
    with pytest.raises(WrongUsageError, match="is not installed here") as raised:
        resolve_runtime(asked, _INSTALLED)
    assert raised.value.hint.startswith("Choose one of nodejs20, python3.9")


def test_a_version_that_the_platform_does_not_offer_says_how_it_would():
    with pytest.raises(WrongUsageError) as rejected:
        resolve_runtime("python3.13", _INSTALLED)
    assert "kn-lambda up --every-runtime" in rejected.value.hint


def test_a_folder_without_a_function_says_how_to_begin_one(tmp_path):
    with pytest.raises(WrongUsageError, match="cannot detect the language") as rejected:
        make_deploy_request(tmp_path, None, Overrides())
    assert "kn-lambda init" in rejected.value.hint


def test_every_wrong_field_is_named_before_anything_is_sent():
    spec = {
        "runtime": "python3.11", "handler": "no handler", "source": {"inline": {"/etc/x": ""}},
        "env": [{"name": "PORT", "value": "1"}], "replicas": 2,
    }  # fmt: skip
    with pytest.raises(WrongUsageError) as raised:
        validate_spec(spec)
    message = raised.value.message
    assert "spec.handler: must be module.function" in message
    assert "spec.source.inline: '/etc/x' is not a relative path" in message
    assert "spec.env.0: PORT is set by the platform" in message
    assert "spec.replicas: no such field" in message


def test_a_field_whose_name_ends_in_a_dot_is_named_whole():
    with pytest.raises(WrongUsageError, match=r"spec\.source\.inline\.a\.: must be a string"):
        validate_spec({"runtime": "python3.11", "source": {"inline": {"a.": 1}}})


@pytest.mark.parametrize("name", ["app.zip", "app.tar.xz", "notes.txt", "program"])
def test_one_file_that_is_not_code_is_rejected_with_a_hint(tmp_path, name):
    (tmp_path / name).write_text("x")
    with pytest.raises(WrongUsageError, match="not a source file") as rejected:
        make_deploy_request(tmp_path / name, None, Overrides(runtime="python"))
    assert "--source URI" in rejected.value.hint
