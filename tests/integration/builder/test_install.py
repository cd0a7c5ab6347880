"""`python -I -m lambda_builder.install` installs packages beside a source that stays as it is."""

from __future__ import annotations

from tests.helpers.builder_programs import assert_failed, run
from tests.helpers.workspaces import write_files, write_runtime


def settings(tmp_path, script: str) -> dict[str, str]:
    write_runtime(tmp_path / "runtimes", script=script)
    write_files(tmp_path / "workspace", {"source/main.txt": "hello", "packages/old": "gone"})
    runtimes = {"RUNTIME": "tiny1.0", "RUNTIMES_DIR": str(tmp_path / "runtimes")}
    return {**runtimes, "BUILD_TIMEOUT_SECONDS": "20"}


def test_the_packages_are_replaced_and_the_source_is_not(tmp_path):
    script = 'cp "$SOURCE_DIR/main.txt" "$PACKAGES_DIR/new"'
    ended = run("install", tmp_path, settings(tmp_path, script))
    assert ended.exit_code == 0, ended
    found = sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("w*/*/*"))
    assert found == ["workspace/packages/new", "workspace/source/main.txt"]


def test_a_failure_has_the_recipes_own_reason(tmp_path):
    said = '{"reason": "PackageNotFound", "message": "no package nope"}'
    script = f"""printf '%s' '{said}' > "$RESULT_FILE"; exit 1"""
    ended = run("install", tmp_path, settings(tmp_path, script))
    assert assert_failed(ended, 1, "PackageNotFound") == "no package nope"
