"""npm's words, told apart by who can do something about them."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

RUNTIME = Path(__file__).parents[3] / "runtimes" / "nodejs"

IN_SYNC = (
    "npm error code EUSAGE\nnpm error\n"
    "npm error `npm ci` can only install packages when your package.json and package-lock.json"
    " are in sync. Please update your lock file with `npm install` before continuing.\nnpm error\n"
)
USAGE = (
    "npm error\nnpm error Clean install a project\nnpm error\nnpm error Usage:\nnpm error npm ci\n"
    + "npm error [--install-strategy <hoisted|nested|shallow|linked>]\n" * 100
)


@pytest.fixture(scope="module")
def errors():
    """The module of Node.js; that of Python has the same name."""
    file = RUNTIME / "installer_errors.py"
    specification = importlib.util.spec_from_file_location("npm_installer_errors", file)
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


@pytest.mark.parametrize("prefix", ["npm error", "npm ERR!"])
def test_a_lock_that_is_out_of_date_is_told_by_its_differences_alone(errors, prefix):
    told = IN_SYNC + "npm error Invalid: lock file's a@1 does not satisfy a@2\n"
    told += "npm error Missing: b@1.2.3 from lock file\n" + USAGE
    error = errors.explain(told.replace("npm error", prefix))
    assert error.reason == "LockOutOfDate"
    assert error.message == (
        "the lock is older than package.json: lock file's a@1 does not satisfy a@2;"
        " b@1.2.3 is missing. Run npm install --package-lock-only, and deploy again"
    )


def test_many_differences_are_counted(errors):
    missing = "".join(f"npm error Missing: {name * 90}@1 from lock file\n" for name in "abcdefgh")
    error = errors.explain(IN_SYNC + missing + USAGE)
    assert "; and 3 more. Run npm install" in error.message
    assert len(error.message) < 700


def test_differences_of_any_length_leave_room_for_the_way_out(errors):
    missing = f"npm error Missing: {'a' * 100_000}@1 from lock file\n"
    error = errors.explain(IN_SYNC + missing * 9 + USAGE)
    assert error.message.endswith("deploy again")
    assert len(error.message) < 2000


def test_other_misuse_is_told_without_the_usage(errors):
    told = "npm error code EUSAGE\nnpm error\nnpm error It needs a lock.\n" + USAGE
    error = errors.explain(told)
    assert error.reason == "InvalidRequirements"
    assert error.message == "It needs a lock."


@pytest.mark.parametrize(
    ("output", "reason", "message"),
    [
        (
            "npm error code E404\nnpm error 404 Not Found - GET https://me:pw@example.com/a\n",
            "RequirementNotFound",
            "code E404\n404 Not Found - GET https://***@example.com/a",
        ),
        (
            """npm error code E404
npm error 404 Not Found
npm error 404
npm error 404  'a@1' could not be found.
npm error 404
npm error 404 Note that you can also install from a
npm error 404 tarball, folder, http url, or git url.
""",
            "RequirementNotFound",
            "code E404\n404 Not Found\n404  'a@1' could not be found.",
        ),
        (
            'npm error Invalid version. Must be a string. Got type "number".\n',
            "InvalidRequirements",
            'Invalid version. Must be a string. Got type "number".',
        ),
        ("Killed\n", "PackageInstallFailed", "Killed"),
        ("", "PackageInstallFailed", "npm failed without a message"),
    ],
    ids=["code", "advice", "no-code", "no-error", "nothing"],
)
def test_the_words_are_npm_s_own(errors, output, reason, message):
    error = errors.explain(output)
    assert (error.reason, error.message) == (reason, message)


def test_a_message_is_short_wherever_it_comes_from(errors):
    assert len(errors.RecipeError("InvalidRequirements", "a" * 100_000).message) == 2000
