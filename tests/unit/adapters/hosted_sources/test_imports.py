import subprocess
import sys


def test_gits_protocol_is_loaded_when_a_repository_is_a_source_and_not_before():
    """It would cost every first event 13 MiB and a part of a second."""
    code = (
        "import sys, knative_lambda.adapters.hosted_sources as sources\n"
        "assert sources.NetworkSources\n"
        "print('dulwich' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip() == "False"
