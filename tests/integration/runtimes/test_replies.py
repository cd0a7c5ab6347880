"""What both runtimes answer when a handler returns."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.integration.runtimes.helpers.function_process import FunctionProcess

    Functions = Callable[..., FunctionProcess]


def test_data_becomes_the_data_of_a_reply_event(function: Functions) -> None:
    answer = function("describe").send({"a": 1})
    assert answer.status == 200
    assert answer.headers["ce-specversion"] == "1.0"
    assert answer.headers["ce-type"] == "com.example.tested.reply"
    assert answer.headers["ce-source"] == "/namespaces/shop/functions/greeter"
    assert answer.headers["ce-lambdafunction"] == "shop/greeter"
    assert answer.headers["content-type"] == "application/json"
    assert answer.json()["data"] == {"a": 1}


def test_a_redelivery_gets_the_same_reply_id_in_every_language(function: Functions) -> None:
    first = function("describe").send()
    again = function("describe").send({"other": "data"})
    name = "/tests\nevent-1\ncom.example.tested.reply"
    expected = str(uuid.uuid5(uuid.NAMESPACE_URL, name))
    assert first.headers["ce-id"] == again.headers["ce-id"] == expected


def test_the_same_id_of_another_source_gets_another_reply_id(function: Functions) -> None:
    first = function("describe").send()
    other = function("describe").send(source="/elsewhere")
    assert first.headers["ce-id"] != other.headers["ce-id"]


def test_none_is_204_without_a_body(function: Functions) -> None:
    answer = function("nothing").send({"a": 1})
    assert (answer.status, answer.body) == (204, b"")
    assert not [name for name in answer.headers if name.startswith("ce-")]


def test_a_falsy_result_is_still_a_reply(function: Functions) -> None:
    answer = function("falsy").send()
    assert (answer.status, answer.body) == (200, b"0")


def test_bytes_are_sent_as_they_are(function: Functions) -> None:
    answer = function("raw_bytes").send()
    assert answer.body == b"\x00\xff"
    assert answer.headers["content-type"] == "application/octet-stream"


def test_a_returned_event_is_sent_as_it_is(function: Functions) -> None:
    answer = function("own_event").send({})
    assert answer.headers["ce-id"] == "r1"
    assert answer.headers["ce-source"] == "/mine"
    assert answer.headers["ce-type"] == "com.example.mine"
    assert answer.headers["ce-subject"] == "caf%C3%A9%20100%25"
    assert answer.json() == {"answer": 42}


def test_text_with_a_content_type_of_its_own_is_not_quoted(function: Functions) -> None:
    answer = function("own_text").send()
    assert (answer.headers["content-type"], answer.body) == ("text/csv", b"a,b")


def test_no_function_can_pass_as_another_one(function: Functions) -> None:
    assert function("own_event").send({}).headers["ce-lambdafunction"] == "shop/greeter"


def test_a_copy_of_an_event_for_this_function_alone_is_for_whoever_subscribes(
    function: Functions,
) -> None:
    process = function("passed_on")
    assert "ce-lambdatarget" not in process.send({}, lambdatarget="/shop/greeter").headers
    other = process.send({}, lambdatarget="/shop/other")
    assert other.headers["ce-lambdatarget"] == "/shop/other"


def test_correlation_and_trace_are_carried_over(function: Functions) -> None:
    extensions = {"correlationid": "c-1", "traceparent": "00-aa-bb-01"}
    answer = function("describe").send(**extensions)
    assert answer.headers["ce-correlationid"] == "c-1"
    assert answer.headers["ce-traceparent"] == "00-aa-bb-01"


def test_a_trace_of_the_functions_own_wins(function: Functions) -> None:
    answer = function("own_event").send({"trace": "00-own"}, traceparent="00-callers")
    assert answer.headers["ce-traceparent"] == "00-own"


def test_a_result_that_is_no_json_is_500_and_logged(function: Functions) -> None:
    process = function("no_json")
    answer = process.send()
    assert (answer.status, answer.json()["reason"]) == (500, "InvalidReply")
    assert "event-1" in process.wait_for_log("is not JSON")


def test_a_returned_event_without_id_is_500(function: Functions) -> None:
    answer = function("incomplete_event").send()
    assert answer.status == 500
    assert answer.json() == {
        "reason": "InvalidReply",
        "message": 'the returned CloudEvent has no "id"',
    }


def test_an_error_of_the_handler_is_for_the_log_only(function: Functions) -> None:
    process = function("fails")
    answer = process.send()
    assert answer.status == 500
    assert answer.json()["reason"] == "HandlerFailed"
    assert b"12345" not in answer.body
    log = process.wait_for_log("the secret is 12345")
    assert "in fails" in log or "exports.fails" in log


def test_a_handler_that_failed_is_called_again(function: Functions) -> None:
    assert function("fails").send().status == 500
    assert function("fails").send().status == 500


def test_an_optional_attribute_that_is_empty_is_left_out_of_a_reply(function: Functions) -> None:
    answer = function("own_empty").send({})
    assert answer.status == 200
    assert answer.headers.keys().isdisjoint({"ce-subject", "ce-dataschema"})
    assert answer.headers["ce-extension"] == ""
