"""The Job of a build brings its context or says why not."""

from __future__ import annotations

import os
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tests.helpers.archives import ZipMember, gzipped, tar_bytes, tar_member, zip_bytes
from tests.helpers.builder_programs import assert_failed, run
from tests.integration.builder.helpers.jobs import context_settings, job_settings

ARCHIVE = gzipped(tar_bytes(tar_member("main.py", b"x" * 3000), tar_member("lib/a.py")))


class Storage(ThreadingHTTPServer):
    """Answers each request with the next of its answers, the last again and again."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answers: list[tuple[int, dict[str, str], bytes]] = []
        self.requests: list[str] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/context?X-Signature=secret"


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        server = self.server
        server.requests.append(self.path)
        answers = server.answers
        status, headers, body = answers.pop(0) if len(answers) > 1 else answers[0]
        self.send_response(status)
        for name, value in ({"Content-Length": str(len(body))} | headers).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture
def settings(tmp_path):
    """Settings of a Job with this context, which installs nothing."""

    def prepare(url, content=ARCHIVE):
        return job_settings(tmp_path, "") | context_settings(url, content)

    return prepare


@pytest.fixture
def storage():
    with Storage() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def source_files(folder):
    source = folder / "workspace" / "source"
    return {str(p.relative_to(source)) for p in source.rglob("*") if p.is_file()}


def leftovers(folder):
    return [path.name for path in (folder / "workspace").iterdir()]


@pytest.mark.parametrize(
    "content",
    [ARCHIVE, tar_bytes(tar_member("a")), zip_bytes(ZipMember(name=b"a"))],
    ids=["tar.gz", "tar", "zip"],
)
def test_a_context_in_a_folder_becomes_a_source(tmp_path, settings, content):
    # The name says nothing about the kind.
    (tmp_path / "context.bin").write_bytes(content)
    ended = run("packages", tmp_path, settings(f"file://{tmp_path}/context.bin", content))
    assert ended.exit_code == 0, ended
    assert sorted(leftovers(tmp_path)) == ["packages", "source"]
    assert source_files(tmp_path)


def test_a_context_behind_a_url_becomes_a_source(tmp_path, settings, storage):
    storage.answers = [(200, {}, ARCHIVE)]
    assert run("packages", tmp_path, settings(storage.url)).exit_code == 0
    assert source_files(tmp_path) == {"main.py", "lib/a.py"}


def test_a_second_run_replaces_the_source_of_the_first(tmp_path, settings):
    (tmp_path / "context").write_bytes(ARCHIVE)
    (tmp_path / "workspace/source").mkdir(parents=True)
    (tmp_path / "workspace/source/old.py").touch()
    assert run("packages", tmp_path, settings(f"file://{tmp_path}/context")).exit_code == 0
    assert source_files(tmp_path) == {"main.py", "lib/a.py"}


def test_trouble_that_passes_is_waited_for(tmp_path, settings, storage):
    broken = (200, {"Content-Length": str(len(ARCHIVE))}, ARCHIVE[:50])
    storage.answers = [(503, {}, b""), broken, (200, {}, ARCHIVE)]
    assert run("packages", tmp_path, settings(storage.url)).exit_code == 0
    assert source_files(tmp_path) == {"main.py", "lib/a.py"}


def test_trouble_that_stays_is_the_platform_s(tmp_path, settings, storage):
    storage.answers = [(500, {}, b"")]
    ended = run("packages", tmp_path, settings(storage.url))
    message = assert_failed(ended, 75, "ContextUnavailable")
    assert "500" in message
    assert len(storage.requests) == 5
    assert leftovers(tmp_path) == []


def test_nobody_listening_is_the_platform_s(tmp_path, settings, storage):
    storage.shutdown()
    storage.server_close()
    ended = run("packages", tmp_path, settings(storage.url))
    assert "no connection" in assert_failed(ended, 75, "ContextUnavailable")


@pytest.mark.parametrize("status", [403, 404])
def test_an_expired_link_is_not_tried_again_and_not_shown(tmp_path, settings, storage, status):
    storage.answers = [(status, {}, b"<xml>secret</xml>")]
    ended = run("packages", tmp_path, settings(storage.url))
    assert str(status) in assert_failed(ended, 75, "ContextUnavailable")
    assert len(storage.requests) == 1
    assert "secret" not in ended.output + ended.errors + str(ended.message)


def test_a_context_over_its_limit_is_the_user_s_mistake(tmp_path, settings, storage):
    storage.answers = [(200, {}, bytes(30_000))]
    ended = run("packages", tmp_path, settings(storage.url))
    assert "20000" in assert_failed(ended, 1, "ContextTooLarge")
    assert leftovers(tmp_path) == []


def test_other_bytes_than_expected_are_refused(tmp_path, settings, storage):
    storage.answers = [(200, {}, ARCHIVE)]
    ended = run("packages", tmp_path, settings(storage.url, b"other"))
    assert_failed(ended, 75, "ContextChecksumMismatch")
    assert leftovers(tmp_path) == []


def test_a_redirect_to_a_file_is_not_followed(tmp_path, settings, storage):
    storage.answers = [(302, {"Location": "file:///etc/passwd"}, b"")]
    ended = run("packages", tmp_path, settings(storage.url))
    assert ended.exit_code == 75
    assert leftovers(tmp_path) == []


def test_an_attack_is_the_user_s_mistake_and_leaves_nothing(tmp_path, settings):
    content = tar_bytes(tar_member("fine"), tar_member("../evil"))
    (tmp_path / "context").write_bytes(content)
    ended = run("packages", tmp_path, settings(f"file://{tmp_path}/context", content))
    assert "'../evil'" in assert_failed(ended, 1, "UnsafeArchive")
    assert leftovers(tmp_path) == []
    assert not (tmp_path / "evil").exists()


def test_a_missing_context_is_the_platform_s(tmp_path, settings):
    ended = run("packages", tmp_path, settings(f"file://{tmp_path}/absent"))
    assert_failed(ended, 75, "ContextUnavailable")


def test_a_missing_setting_is_the_platform_s(tmp_path, settings):
    values = settings("http://127.0.0.1/") | {"CONTEXT_URL": ""}
    assert "CONTEXT_URL" in assert_failed(run("packages", tmp_path, values), 75, "InvalidSettings")


def test_another_scheme_is_refused(tmp_path, settings):
    ended = run("packages", tmp_path, settings("ftp://127.0.0.1/a"))
    assert_failed(ended, 75, "InvalidSettings")


def test_a_termination_message_that_cannot_be_written_hides_no_failure(tmp_path, settings):
    values = settings(f"file://{tmp_path}/absent") | {"TERMINATION_MESSAGE_PATH": "/dev/full"}
    ended = run("packages", tmp_path, values)
    assert ended.exit_code == 75
    assert ended.last_line.startswith("ContextUnavailable: ")


def test_a_disk_that_fills_up_is_the_platform_s(tmp_path, settings, storage):
    if not os.access("/dev/full", os.W_OK):
        pytest.skip("this system has no /dev/full")
    # Every write to /dev/full fails as on a full disk.
    storage.answers = [(200, {}, ARCHIVE)]
    (tmp_path / "workspace").mkdir()
    (tmp_path / "workspace/.context").symlink_to("/dev/full")
    ended = run("packages", tmp_path, settings(storage.url))
    assert_failed(ended, 75, "DiskFull")
    assert leftovers(tmp_path) == []
