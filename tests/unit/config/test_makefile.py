"""What `make` runs for people, and with which variables."""

from __future__ import annotations

import os
import subprocess

import pytest

from tests.helpers.dev_overlay import REPOSITORY


def dry_run(*arguments):
    command = ["make", "--dry-run", "--no-print-directory", *arguments]
    environment = {"PATH": os.defpath}  # many machines have a PORT of their own
    done = subprocess.run(
        command, cwd=REPOSITORY, env=environment, capture_output=True, text=True, check=True
    )
    return done.stdout.splitlines()[-1].split()


@pytest.mark.parametrize(
    ("given", "options"),
    [
        ((), []),
        (("PORT=9000",), ["--port", "'9000'"]),
        (("BROKER_PORT=0", "API_PORT=7"), ["--broker-port", "'0'", "--api-port", "'7'"]),
    ],
)
def test_make_run_passes_the_ports_that_one_names(given, options):
    deploys = ["--deploy", "examples/hello-python"]
    assert dry_run("run", *given) == ["kn-lambda", "up", *options, *deploys]


def test_python_keeps_what_it_compiles_even_where_the_machine_says_otherwise():
    """Container images say so; here a thousand processes would compile the same files again."""
    machine = {"PATH": os.defpath, "PYTHONDONTWRITEBYTECODE": "1"}
    command = ["make", "--no-print-directory", "--eval", "environment: ; @env", "environment"]
    done = subprocess.run(
        command, cwd=REPOSITORY, env=machine, capture_output=True, text=True, check=True
    )
    assert "PYTHONDONTWRITEBYTECODE" not in done.stdout
