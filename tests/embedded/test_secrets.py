"""Secrets reach the function that may have them, and nothing that people read."""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import json
import uuid
import zipfile
from http import HTTPStatus
from typing import TYPE_CHECKING

import pytest

from tests.embedded.helpers.embedded_platform import LAMBDAS
from tests.embedded.helpers.inventory import texts
from tests.helpers.changing_folders import contents_below
from tests.helpers.s3_servers import make_bucket, moto_server
from tests.helpers.waiting import wait_for

if TYPE_CHECKING:
    from pathlib import Path

    from tests.embedded.helpers.embedded_platform import EmbeddedPlatform

PROVING = """
import hashlib, os

def handler(event):
    return hashlib.sha256(os.environ["PASSWORD"].encode()).hexdigest()
"""
LISTING = """
import os

def handler(event):
    return sorted(name for name in os.listdir() if name != "__pycache__")
"""
SIGNED = ("X-Amz-Signature", "X-Amz-Credential", "Signature=", "AWSAccessKeyId=")


def manifest(name: str) -> bytes:
    reference = {"name": "PASSWORD", "secretKeyRef": {"name": name, "key": "password"}}
    spec = {"runtime": "python", "env": [reference]}
    document = {
        "apiVersion": "knative-lambda.dev/v1alpha1",
        "kind": "LambdaFunction",
        "metadata": {"name": name},
        "spec": spec,
    }
    return json.dumps(document).encode()


def put_secret(platform: EmbeddedPlatform, name: str, value: str) -> None:
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": name, "namespace": "default"},
        "stringData": {"password": value},
    }
    answer = platform.api("POST", "/api/v1/namespaces/default/secrets", secret)
    assert answer.status == 201, answer


def with_credentials(source: Path, secret: str) -> Path:
    """A source beside whose code lie files of a person, and links to them."""
    (source / ".npmrc").write_text(f"//registry.example/:_authToken={secret}\n")
    (source / "key.PEM").write_text(secret)
    (source / ".aws").mkdir()
    (source / ".aws" / "credentials").write_text(secret)
    (source / "settings.txt").symlink_to(".npmrc")
    return source


def assert_stored_nowhere(platform: EmbeddedPlatform, secret: str) -> None:
    """Neither in a record nor in any file of the platform: sources, images, journal, logs."""
    assert secret not in json.dumps(platform.list(LAMBDAS))
    files = contents_below(platform.home)
    assert [file for file, content in files if secret.encode() in unpacked(content)] == []


def unpacked(content: bytes) -> bytes:
    if content.startswith(b"\x1f\x8b"):
        return gzip.decompress(content)
    if not zipfile.is_zipfile(io.BytesIO(content)):
        return content
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return b"".join(archive.read(name) for name in archive.namelist())


def forms_of(secret: str) -> list[str]:
    encoded = base64.b64encode(secret.encode()).decode().rstrip("=")
    return [secret, encoded]


def assert_nobody_reads(platform: EmbeddedPlatform, forbidden: list[str], *said: str) -> None:
    """Neither logs, nor journal, nor what the commands printed."""
    journal = json.dumps([platform.events(), platform.dead_letters()])
    places = {"journal": journal, "commands": "\n".join(said)}
    places |= {str(file): text for file, text in texts(platform)}
    found = [(place, word) for place, text in places.items() for word in forbidden if word in text]
    assert found == []


def run_all(platform: EmbeddedPlatform, name: str, source: Path) -> list[str]:
    """What a person sees on the way."""
    commands = [
        ("deploy", source, "-v"),
        ("invoke", name, "-v"),
        ("describe", name),
        ("describe", name, "-o", "json"),
        ("logs", name),
        ("logs", name, "--build"),
        ("events", name),
        ("list", "-o", "json"),
    ]
    runs = [platform.kn_lambda(*command) for command in commands]
    return [run.stdout + run.stderr for run in runs]


def test_a_secret_reaches_the_function_and_nothing_that_people_read(
    platform: EmbeddedPlatform, write_function, unique_name: str
):
    password = f"hunter-{uuid.uuid4().hex}"
    put_secret(platform, unique_name, password)
    source = write_function(PROVING, **{"function.yaml": manifest(unique_name)})

    said = run_all(platform, unique_name, source)

    assert hashlib.sha256(password.encode()).hexdigest() in said[1]
    platform.await_settled()
    assert_nobody_reads(platform, forms_of(password), *said)


@pytest.mark.parametrize("size", [0, 300_000], ids=["inside the event", "by way of storage"])
def test_credentials_beside_the_code_are_not_deployed(start_platform, write_function, size: int):
    secret = f"hunter-{uuid.uuid4().hex}"
    source = with_credentials(write_function(LISTING, data=bytes(size)), secret)
    platform = start_platform("--deploy", source)
    wait_for(lambda: platform.phase(source.name) == "Ready")
    assert platform.log.count("Warning: ") == 1

    deployed = platform.kn_lambda("deploy", source, "--name", "again")

    assert "Warning: left out" in deployed.stderr
    for name in (".npmrc", "key.PEM", ".aws/credentials", "settings.txt (a link to .npmrc)"):
        assert name in deployed.stderr
    assert json.loads(platform.kn_lambda("invoke", "again").stdout) == ["data", "main.py"]
    assert_stored_nowhere(platform, secret)

    included = ("--include", "key.PEM", "--include", "settings.txt")
    platform.deploy(source, *included)
    answer = json.loads(platform.kn_lambda("invoke", source.name).stdout)
    assert answer == ["data", "key.PEM", "main.py", "settings.txt"]


@pytest.mark.parametrize(
    "change",
    [
        {"runtime": "cobol60"},
        {"source": {"uri": "https://somebody:{secret}@example.com/a.zip?key={secret}"}},
        {"source": {"inline": {"../main.py": "{secret}"}}},
        {"env": [{"name": "PORT", "value": "{secret}"}]},
        {"env": [{"name": "A", "value": "{secret}\0"}]},
        {"env": [{"name": "A", "value": "{secret}", "secretKeyRef": {"name": "a", "key": "b"}}]},
        {"timeoutSeconds": "{secret}"},
    ],
    ids=lambda change: json.dumps(change)[:40],
)
def test_a_refusal_quotes_no_value_of_a_request(
    platform: EmbeddedPlatform, unique_name: str, change
):
    secret = f"hunter-{uuid.uuid4().hex}"
    spec = {"env": [{"name": "A", "value": secret}]}
    spec |= json.loads(json.dumps(change).replace("{secret}", secret))

    platform.send_build_start(unique_name, {"main.py": secret}, spec=spec)

    platform.await_settled()
    events = platform.list("/api/v1/namespaces/default/events")
    (told,) = [each for each in events if each["involvedObject"]["name"] == unique_name]
    assert secret not in json.dumps(told)


@pytest.mark.parametrize("works", [True, False], ids=["a build that works", "one that fails"])
def test_credentials_and_presigned_urls_stay_out_of_all_that_people_read(
    start_platform, write_function, tmp_path: Path, works: bool
):
    key = f"secret-{uuid.uuid4().hex}"
    with moto_server(tmp_path) as connection:
        platform = start_platform(
            KN_LAMBDA_STORAGE_URL=f"s3://{make_bucket(connection)}/own/",
            KN_LAMBDA_S3_ENDPOINT_URL=connection.endpoint_url,
            KN_LAMBDA_S3_ACCESS_KEY_ID="an-access-key-id",
            KN_LAMBDA_S3_SECRET_ACCESS_KEY=key,
        )
        requirements = "" if works else "no-such-package-of-anybody==1.0\n"
        source = write_function(
            "def handler(event):\n    return 'hello'\n", requirements=requirements
        )
        named = source.rename(tmp_path / "signed")

        said = run_all(platform, "signed", named)

        platform.await_settled()
        assert platform.phase("signed") == ("Ready" if works else "Failed")
        assert_nobody_reads(platform, [key, *SIGNED], *said)


@pytest.mark.parametrize("works", [True, False], ids=["a build that works", "one that fails"])
def test_what_opens_the_objects_of_a_build_goes_with_its_end(
    platform: EmbeddedPlatform, write_function, unique_name: str, works: bool
):
    requirements = "idna==3.10\n" if works else "no-such-package-of-anybody==1.0\n"
    source = write_function("def handler(event):\n    return 1\n", requirements=requirements)

    platform.kn_lambda("deploy", source, "--name", unique_name)

    job = platform.record(unique_name)["status"]["build"]["job"]
    builds = "/namespaces/knative-lambda-builds"
    assert platform.api("GET", f"/apis/batch/v1{builds}/jobs/{job}").status == HTTPStatus.OK
    secret = f"/api/v1{builds}/secrets/{job}"
    wait_for(lambda: platform.api("GET", secret).status == HTTPStatus.NOT_FOUND)
