"""`kn-lambda deploy --watch` as a person uses it: save, look at the answer, Ctrl-C."""

from __future__ import annotations

import signal
import subprocess
from typing import TYPE_CHECKING

from kn_lambda.errors import ExitCode
from tests.embedded.helpers.running_platform import kn_lambda_program, machine_environment
from tests.helpers.http_client import request
from tests.helpers.waiting import wait_for

if TYPE_CHECKING:
    from pathlib import Path

    from tests.embedded.helpers.embedded_platform import EmbeddedPlatform

_HTTP = "def handler(request):\n    print('called', flush=True)\n    return {!r}\n"


def test_a_save_changes_the_answer_and_a_broken_one_does_not(
    platform: EmbeddedPlatform, unique_name, tmp_path: Path
):
    folder = tmp_path / unique_name
    folder.mkdir()
    main = folder / "main.py"

    def answers(expected: str) -> bool:
        return request("GET", platform.url(unique_name)).body == expected.encode()

    main.write_text(_HTTP.format("one"))
    log = tmp_path / "log"
    with log.open("wb") as output:
        watching = subprocess.Popen(
            [*kn_lambda_program(), "deploy", folder, "--watch", "--logs", "--signature", "http"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=output,
            env={**machine_environment(), "KN_LAMBDA_HOME": str(platform.home)},
            start_new_session=True,
        )
    try:
        wait_for(lambda: b"Watching" in log.read_bytes())
        main.write_text(_HTTP.format("two"))
        wait_for(lambda: answers("two"))
        main.write_text("def handler(request:\n")
        wait_for(lambda: b"SyntaxError" in log.read_bytes())
        assert answers("two")
        main.write_text(_HTTP.format("three"))
        wait_for(lambda: answers("three"))
        wait_for(lambda: f"{unique_name} | called".encode() in log.read_bytes())
    finally:
        watching.send_signal(signal.SIGINT)
        ended = watching.wait(60)
    assert ended == ExitCode.INTERRUPTED, log.read_text()
    assert "Traceback" not in log.read_text()
