"""uv's words, told apart by who can do something about them."""

from __future__ import annotations

import pytest
from installer_errors import explain

NOT_FOUND = """
Using CPython 3.11.7
  \u00d7 No solution found when resolving dependencies:
  ╰─▶ Because nothing-here was not found in the package registry and you require
      nothing-here, we can conclude that your requirements are unsatisfiable.
"""
NO_WHEEL = """
  \u00d7 No solution found when resolving dependencies:
  ╰─▶ Because docopt==0.6.2 has no usable wheels and you require docopt==0.6.2, we can conclude
      that your requirements are unsatisfiable.

      hint: Wheels are required for `docopt` because building from source is disabled for
      all packages (i.e., with `--no-build`)
"""
CONFLICT = """
error: No solution found when resolving dependencies
  cause: Because a==1 depends on b>2 and you require b<1, we can conclude that your requirements
  are unsatisfiable.
"""
UNREACHABLE = """
error: Request failed after 3 retries in 4.6s
  cause: Failed to fetch: http://someone:secret@127.0.0.1:9/simple/httpx/
  cause: tcp connect error
"""


@pytest.mark.parametrize(
    ("output", "reason", "exit_code"),
    [
        (NOT_FOUND, "RequirementNotFound", 1),
        (NO_WHEEL, "SourcePackageRefused", 1),
        (CONFLICT, "RequirementsConflict", 1),
        (UNREACHABLE, "PackageIndexUnavailable", 75),
        (
            "error: HTTP status server error (503 Service Unavailable)",
            "PackageIndexUnavailable",
            75,
        ),
        ("error: No space left on device (os error 28)", "NoSpaceLeft", 75),
        ("error: Hash mismatch for `a==1`", "RequirementHashMismatch", 1),
        ("something else", "PackageInstallFailed", 1),
        ("", "PackageInstallFailed", 1),
    ],
)
def test_reason_and_exit_code(output: str, reason: str, exit_code: int) -> None:
    error = explain(output)
    assert (error.reason, error.exit_code) == (reason, exit_code)


def test_the_message_starts_with_the_error_not_with_progress() -> None:
    assert explain(NOT_FOUND).message.startswith("\u00d7")


def test_the_message_does_not_say_error_where_its_reader_has_said_so() -> None:
    assert explain(CONFLICT).message.startswith("No solution found")


def test_credentials_of_addresses_are_left_out() -> None:
    assert "secret" not in explain(UNREACHABLE).message


def test_a_refused_source_package_comes_with_the_way_out() -> None:
    assert "allow source packages" in explain(NO_WHEEL).message


def test_a_long_message_is_cut() -> None:
    assert len(explain("error: " + "x" * 10_000).message) <= 2000
