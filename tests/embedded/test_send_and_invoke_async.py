"""Events to all that subscribe, and events to one function alone, by the command line."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tests.embedded.helpers.inventory import TRIGGERS, owned
from tests.helpers.waiting import wait_for

if TYPE_CHECKING:
    import subprocess

    from tests.embedded.helpers.embedded_platform import EmbeddedPlatform

CALLED = "def handler(event):\n    print('called with', event['id'])\n    return {'done': True}\n"


def deploy(platform: EmbeddedPlatform, *names: str, type_: str | None = None) -> None:
    subscriptions = [] if type_ is None else [{"type": type_}]
    for name in names:
        platform.send_build_start(name, {"main.py": CALLED}, spec={"subscriptions": subscriptions})
    for name in names:
        platform.await_phase(name, "Ready")


def document(done: subprocess.CompletedProcess[str]) -> Any:
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def calls(platform: EmbeddedPlatform, name: str, event_id: str) -> int:
    return platform.kn_lambda("logs", name).stdout.count(f"called with {event_id}")


def test_an_event_for_one_function_reaches_no_other_that_subscribes_to_its_type(
    platform: EmbeddedPlatform, unique_name: str
):
    type_, one, other = f"com.example.{unique_name}", f"{unique_name}-one", f"{unique_name}-other"
    deploy(platform, one, other, type_=type_)

    alone = document(platform.kn_lambda("invoke", one, "--async", "-o", "json"))["id"]
    sent = document(platform.kn_lambda("send", "--type", type_, "-o", "json"))
    nobody = platform.kn_lambda("send", "--type", f"{type_}.unheard")

    platform.await_settled()
    assert [calls(platform, name, alone) for name in (one, other)] == [1, 0]
    assert [calls(platform, name, sent["id"]) for name in (one, other)] == [1, 1]
    assert {trigger["subscriber"] for trigger in sent["triggers"]} == {one, other}
    assert "No Trigger matches" in nobody.stdout
    # Its reply is an event as any other, and comes back to nobody who did not ask for it.
    replies = [event["attributes"] for event in platform.events(type=f"{type_}.reply")]
    assert {reply["lambdafunction"] for reply in replies} == {f"default/{one}", f"default/{other}"}
    assert not any("lambdatarget" in reply for reply in replies)


def test_an_event_that_two_subscriptions_ask_for_comes_once_and_others_replace_them(
    platform: EmbeddedPlatform, unique_name: str
):
    before, after = (f"com.example.{unique_name}.{word}" for word in ("before", "after"))

    def subscribe(*subscriptions: dict[str, str]) -> None:
        spec = {"subscriptions": list(subscriptions)}
        platform.send_build_start(unique_name, {"main.py": CALLED}, spec=spec)
        platform.await_settled()
        platform.await_phase(unique_name, "Ready")

    def send(type_: str) -> int:
        arguments = ("--type", type_, "--source", "/shop", "-o", "json")
        sent = document(platform.kn_lambda("send", *arguments))["id"]
        platform.await_settled()
        return calls(platform, unique_name, sent)

    subscribe({"type": before}, {"type": before, "source": "/shop"})
    assert (send(before), send(after)) == (1, 0)
    subscribe({"type": after})
    assert (send(before), send(after)) == (0, 1)
    subscribe()
    assert (send(before), send(after)) == (0, 0)


def test_a_function_without_subscriptions_gets_its_trigger_and_takes_it_along(
    platform: EmbeddedPlatform, unique_name: str
):
    deploy(platform, unique_name)
    assert owned(platform, TRIGGERS, unique_name) == []

    sent = document(platform.kn_lambda("invoke", unique_name, "--async", "-o", "json"))["id"]
    wait_for(lambda: calls(platform, unique_name, sent) == 1)
    # The next deployment leaves it beside that of its subscriptions.
    deploy(platform, unique_name, type_=f"com.example.{unique_name}")
    wait_for(lambda: len(owned(platform, TRIGGERS, unique_name)) == 2)

    assert platform.kn_lambda("delete", unique_name).returncode == 0
    assert owned(platform, TRIGGERS, unique_name) == []


def test_an_accepted_event_reaches_a_function_at_zero_although_the_platform_is_killed(
    own_platform: EmbeddedPlatform,
):
    deploy(own_platform, "late")
    own_platform.kill()
    own_platform.start()

    sent = document(own_platform.kn_lambda("invoke", "late", "--async", "-o", "json"))["id"]
    own_platform.kill()
    own_platform.start()

    own_platform.await_settled()
    assert calls(own_platform, "late", sent) >= 1
