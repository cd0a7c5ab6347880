"""The commands against a real platform, the way people use them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from datetime import UTC, datetime

import pytest

from kn_lambda.errors import ExitCode
from tests.embedded.helpers.running_platform import (
    RunningPlatform,
    kn_lambda_program,
    machine_environment,
)
from tests.helpers.waiting import wait_for

_HELLO = "def handler(event):\n    print('called')\n    return {'n': 1}\n"


def test_a_function_is_deployed_called_described_and_deleted(
    kn_lambda, write_function, unique_name, gate
):
    source = write_function(_HELLO, requirements=gate.requirement)
    gate.open()
    deployed = kn_lambda("deploy", source, "--name", unique_name)
    assert deployed.returncode == ExitCode.OK, deployed.stderr
    assert deployed.stdout.strip().endswith(f"/default/{unique_name}")
    for step in ("packed 2 files", "sent", "building", "ready", "Call it:"):
        assert step in deployed.stderr
    assert json.loads(kn_lambda("invoke", unique_name).stdout) == {"n": 1}
    whole = json.loads(kn_lambda("invoke", unique_name, "--type", "t", "-o", "json").stdout)
    assert whole["type"] == "t.reply"
    assert "called" in kn_lambda("logs", unique_name).stdout
    assert "gated" in kn_lambda("logs", unique_name, "--build").stdout
    assert "Ready" in kn_lambda("describe", unique_name).stdout
    assert unique_name in kn_lambda("list").stdout
    assert "build-start" in kn_lambda("events", unique_name).stdout
    assert kn_lambda("delete", unique_name).stdout == f"default/{unique_name} is deleted\n"
    assert kn_lambda("delete", unique_name).returncode == ExitCode.OK
    assert kn_lambda("describe", unique_name).returncode == ExitCode.NOT_FOUND
    assert kn_lambda("invoke", unique_name).returncode == ExitCode.NOT_FOUND


def test_what_did_not_change_is_not_built_again(kn_lambda, write_function, unique_name):
    source = write_function(_HELLO)
    outcomes = [
        json.loads(kn_lambda("deploy", source, "--name", unique_name, "-o", "json").stdout)
        for _ in range(2)
    ]
    assert [outcome["outcome"] for outcome in outcomes] == ["ready", "unchanged"]
    assert outcomes[0]["image"] == outcomes[1]["image"]


def test_a_change_of_code_is_served_and_one_that_fails_leaves_the_old(
    kn_lambda, write_function, unique_name
):
    for number in (1, 2):
        source = write_function(f"def handler(event):\n    return {number}\n")
        assert kn_lambda("deploy", source, "--name", unique_name).returncode == ExitCode.OK
        assert kn_lambda("invoke", unique_name).stdout == f"{number}\n"
    failed = kn_lambda("deploy", write_function("import nowhere"), "--name", unique_name)
    assert failed.returncode == ExitCode.FAILED
    assert "No module named 'nowhere'" in failed.stderr
    assert "still serves requests" in failed.stderr
    assert kn_lambda("invoke", unique_name).stdout == "2\n"


def test_a_requirement_that_does_not_exist_is_told_in_the_installers_words(
    kn_lambda, write_function, unique_name
):
    source = write_function(_HELLO, requirements="no-such-package-of-ours==9.9\n")
    failed = kn_lambda("deploy", source, "--name", unique_name, "-o", "json")
    assert failed.returncode == ExitCode.FAILED
    result = json.loads(failed.stdout)
    assert result["outcome"] == "failed"
    assert "no-such-package-of-ours" in result["message"]
    assert "no-such-package-of-ours" in failed.stderr


def test_what_build_start_refuses_is_told_with_its_reason(kn_lambda, tmp_path, unique_name):
    (tmp_path / "main.py").touch()
    options = ("--name", unique_name, "--source", "file:///etc/hostname")
    refused = kn_lambda("deploy", tmp_path / "main.py", *options)
    assert refused.returncode == ExitCode.FAILED
    assert "rejected: UnsupportedSource: source.uri" in refused.stderr
    # The Broker has the answer a moment after we were told.
    dead_letters = ("events", unique_name, "--dead-letters")
    wait_for(lambda: "UnsupportedSource" in kn_lambda(*dead_letters).stdout)


def test_a_refusal_is_told_by_a_platform_that_is_spoken_to_as_a_cluster(
    kn_lambda, platform, tmp_path, unique_name
):
    (tmp_path / "main.py").touch()
    cluster = ("--kubeconfig", platform.kubeconfig, "--context", "kn-lambda-embedded")
    options = ("--name", unique_name, "--source", "file:///etc/hostname", "-o", "json")
    refused = kn_lambda("deploy", tmp_path / "main.py", *options, *cluster)
    assert refused.returncode == ExitCode.FAILED
    assert "rejected: UnsupportedSource: source.uri" in refused.stderr
    document = json.loads(refused.stdout)
    assert (document["outcome"], document["field"]) == ("refused", "source.uri")


def test_a_source_that_is_no_text_goes_through_storage(kn_lambda, write_function, unique_name):
    code = (
        "import pathlib\n"
        "def handler(event):\n"
        "    return len(pathlib.Path(__file__).with_name('data').read_bytes())\n"
    )
    source = write_function(code, data=os.urandom(300_000))
    deployed = kn_lambda("deploy", source, "--name", unique_name)
    assert "uploaded" in deployed.stderr
    assert kn_lambda("invoke", unique_name).stdout == "300000\n"


def test_a_function_that_raises_fails_the_invocation(kn_lambda, write_function, unique_name):
    source = write_function("def handler(event):\n    raise ValueError('secret detail')\n")
    assert kn_lambda("deploy", source, "--name", unique_name).returncode == ExitCode.OK
    failed = kn_lambda("invoke", unique_name)
    assert (failed.returncode, failed.stdout) == (ExitCode.FAILED, "")
    assert "secret detail" not in failed.stderr
    assert "secret detail" in kn_lambda("logs", unique_name).stdout


def test_logs_can_be_followed_over_calls(platform, write_function, unique_name, gate):
    main = "def handler(event):\n    print('line', event.data['n'], flush=True)\n"
    source = write_function(main, requirements=gate.requirement)
    gate.open()
    assert platform.kn_lambda("deploy", source, "--name", unique_name).returncode == ExitCode.OK
    with _following(platform, unique_name) as follower:
        try:
            for number in (1, 2):
                _call(platform, unique_name, number)
            assert [follower.stdout.readline() for _ in range(2)] == ["line 1\n", "line 2\n"]
        finally:
            follower.send_signal(signal.SIGINT)
    assert follower.returncode == ExitCode.INTERRUPTED
    # A reader that goes away, as `head` does, ends it silently.
    with _following(platform, unique_name) as follower:
        assert follower.stdout.readline() == "line 1\n"
        follower.stdout.close()
        _call(platform, unique_name, 3)
        assert follower.stderr.read() == ""
    for build in ((), ("--build",)):
        asked = ("logs", unique_name, "--timestamps", "-o", "json", *build)
        times = [
            json.loads(line)["time"] for line in platform.kn_lambda(*asked).stdout.splitlines()
        ]
        assert times
        assert all(datetime.fromisoformat(time) < datetime.now(UTC) for time in times)
    assert "line 3" in platform.kn_lambda("logs", unique_name, "--since", "1h").stdout


def _following(platform, name):
    return subprocess.Popen(
        [*kn_lambda_program(), "logs", name, "-f", "--home", str(platform.home)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def _call(platform, name, number):
    called = platform.kn_lambda("invoke", name, "--data", json.dumps({"n": number}))
    assert called.returncode == ExitCode.OK, called.stderr


def test_an_interrupted_deploy_says_that_the_deployment_continues(
    platform, write_function, unique_name, gate
):
    source = write_function(_HELLO, requirements=gate.requirement)
    deploying = subprocess.Popen(
        [*kn_lambda_program(), "deploy", str(source), "--name", unique_name,
         "--home", str(platform.home)],
        stderr=subprocess.PIPE,
        text=True,
    )  # fmt: skip
    with deploying:
        assert deploying.stderr is not None
        while "building" not in deploying.stderr.readline():
            assert deploying.poll() is None
        deploying.send_signal(signal.SIGINT)
        said = deploying.stderr.read()
    assert deploying.returncode == ExitCode.INTERRUPTED
    assert f"The deployment continues. See its progress: kn-lambda describe {unique_name}" in said
    gate.open()
    platform.await_phase(unique_name, "Ready")


def test_events_reach_subscribers_through_the_broker(kn_lambda, examples):
    for name in ("order-pricer", "order-confirmation"):
        deployed = kn_lambda("deploy", examples / name)
        assert deployed.returncode == ExitCode.OK, deployed.stderr
    event = examples / "order-pricer" / "event.json"
    assert kn_lambda("invoke", "order-pricer", "--event", event, "--async").returncode == 0
    deadline = time.monotonic() + 30
    while "your order" not in kn_lambda("logs", "order-confirmation").stdout:
        assert time.monotonic() < deadline
        time.sleep(0.2)


def test_the_doctor_finds_a_running_platform_well(kn_lambda):
    examined = kn_lambda("doctor")
    assert examined.returncode == ExitCode.OK, examined.stdout
    assert "ok       platform" in examined.stdout


def test_kubectl_style_options_work_in_any_place(kn_lambda, platform):
    for arguments in (("-n", "nowhere", "list"), ("list", "-n", "nowhere")):
        assert "namespace nowhere" in kn_lambda(*arguments).stderr
    (platform.home / "other").mkdir(exist_ok=True)
    missing = kn_lambda("list", "--home", platform.home / "other")
    assert missing.returncode == ExitCode.UNREACHABLE


# `python -X importtime` lists what is imported. `--help` imports every command.
_SLOW = {
    "aiohttp", "boto3", "dotenv", "kubernetes", "pydantic", "requests", "rich", "uvicorn",
    "watchfiles", "asyncio",
}  # fmt: skip
_SLOW_FOR_HELP = _SLOW | {"http.client", "importlib.metadata", "pathspec", "ssl", "urllib3", "yaml"}


@pytest.mark.parametrize(
    ("command", "slow"), [("--help", _SLOW_FOR_HELP), ("list", _SLOW)], ids=["help", "list"]
)
def test_a_command_that_people_wait_for_imports_nothing_slow(platform, command, slow):
    python, *program = kn_lambda_program()
    run = subprocess.run(
        [python, "-X", "importtime", *program, "--home", platform.home, command],
        capture_output=True,
        text=True,
        check=True,
    )
    imported = {line.rpartition("|")[2].strip() for line in run.stderr.splitlines()}
    assert "click" in imported
    assert slow & imported == set()


def test_the_demo_ends_with_the_answer_and_leaves_nothing(kn_lambda_alone, tmp_path):
    shown = kn_lambda_alone("demo")
    assert shown.returncode == ExitCode.OK, shown.stderr
    assert json.loads(shown.stdout.splitlines()[-1]) == {"message": "Hello, Ada!"}
    assert list((tmp_path / "tmp").iterdir()) == []
    assert not (tmp_path / "home").exists()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda n: n.name)
def test_an_interrupted_demo_leaves_nothing(tmp_path, number):
    demo = subprocess.Popen(
        [*kn_lambda_program(), "demo"],
        stderr=subprocess.PIPE,
        text=True,
        env={**machine_environment(), "TMPDIR": str(tmp_path)},
        start_new_session=True,
    )
    with demo:
        assert demo.stderr is not None
        while "sent" not in demo.stderr.readline():
            assert demo.poll() is None
        demo.send_signal(number)
        demo.stderr.read()
    assert demo.returncode == 128 + number
    assert list(tmp_path.iterdir()) == []


def test_up_deploys_shows_how_to_call_and_stops_cleanly(tmp_path, examples):
    platform = RunningPlatform(tmp_path / "home")
    try:
        platform.start("--deploy", str(examples / "hello-python"))
        deadline = time.monotonic() + 60
        while "Call it:" not in platform.log:
            assert time.monotonic() < deadline, platform.log
            time.sleep(0.1)
        assert f"{platform.gateway_url}/default/hello-python\n" in platform.log
        curl = next(line for line in platform.log.splitlines() if line.startswith("  curl"))
        assert "ce-specversion: 1.0" in curl
        assert platform.stop() == 0
        assert platform.kn_lambda("list").returncode == ExitCode.UNREACHABLE
        platform.start()
        assert "Hello, Bo!" in platform.kn_lambda(
            "invoke", "hello-python", "--data", '{"name": "Bo"}'
        ).stdout  # fmt: skip
    finally:
        platform.close()


def test_a_second_platform_on_the_same_folder_is_refused(platform):
    second = platform.kn_lambda("up", "--port", "0", "--broker-port", "0", "--api-port", "0")
    assert second.returncode == ExitCode.FAILED
    assert "already runs" in second.stderr
    assert f" down --home {platform.home}\n" in second.stderr
