"""Bodies in Kubernetes' protobuf encoding, byte by byte."""

from __future__ import annotations

import contextlib
import random

import pytest

from lambda_embedded.api.bodies.parsing import parse_body
from lambda_embedded.api.errors import ApiError

PROTOBUF = "application/vnd.kubernetes.protobuf"


def _field(number, value):
    if isinstance(value, int):
        return _number(number << 3) + _number(value)
    data = value.encode() if isinstance(value, str) else value
    return _number(number << 3 | 2) + _number(len(data)) + data


def _number(value):
    low, value = value & 0x7F, value >> 7
    return bytes([low | 0x80]) + _number(value) if value else bytes([low])


def _envelope(api_version, kind, raw):
    return b"k8s\x00" + _field(1, _field(1, api_version) + _field(2, kind)) + _field(2, raw)


METADATA = _field(1, _field(1, "one") + _field(5, "") + _field(8, b""))


def _parse(api_version, kind, raw):
    return parse_body(_envelope(api_version, kind, raw), PROTOBUF)


def test_bytes_are_base64_and_what_go_never_set_is_left_out():
    data = _field(2, _field(1, "key") + _field(2, b"\xff\x00")) + _field(2, _field(1, "empty"))
    assert _parse("v1", "Secret", METADATA + data + _field(3, "")) == {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "one"},
        "data": {"key": "/wA=", "empty": ""},
    }


def test_a_zero_that_go_can_tell_from_nothing_is_kept():
    item = _parse("batch/v1", "Job", METADATA + _field(2, _field(7, 0) + _field(5, 0)))
    # backoffLimit and manualSelector are not there, or are meant.
    assert item["spec"]["backoffLimit"] == 0
    assert item["spec"]["manualSelector"] is False


def test_numbers_below_zero_times_quantities_and_json_are_read():
    limits = _field(1, _field(1, "cpu") + _field(2, _field(1, "50m")))
    port = _field(2, _field(1, 1) + _field(3, "http"))
    handler = _field(2, port)
    probe = _field(1, handler) + _field(2, 2**64 - 5)
    container = _field(1, "c") + _field(8, limits) + _field(10, probe)
    owned = _field(7, _field(1, b'{"f:data":{}}'))
    times = _field(8, _field(1, 1_700_000_000)) + _field(17, owned)
    raw = _field(1, _field(1, "one") + times) + _field(2, _field(2, container))
    item = _parse("v1", "Pod", raw)
    (found,) = item["spec"]["containers"]
    assert found["resources"] == {"limits": {"cpu": "50m"}}
    assert found["livenessProbe"]["initialDelaySeconds"] == -5
    assert found["livenessProbe"]["httpGet"]["port"] == "http"
    assert item["metadata"]["creationTimestamp"] == "2023-11-14T22:13:20Z"
    assert item["metadata"]["managedFields"] == [{"fieldsV1": {"f:data": {}}}]


def test_fields_of_a_newer_kubernetes_are_passed_over():
    assert "x" not in str(_parse("v1", "ConfigMap", METADATA + _field(900, "x") + _field(901, 7)))


def test_a_kind_without_a_protobuf_form_here_is_named():
    with pytest.raises(
        ApiError, match="'Deployment' of 'apps/v1' is not supported in protobuf here"
    ):
        _parse("apps/v1", "Deployment", METADATA)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"k8s\x00",
        b"k8s\x00\xff",
        b"k8s\x00" + b"\xff" * 20,
        _envelope("v1", "Secret", b"\x0a\xff\x01x"),
        _envelope("v1", "Secret", b"\x0b"),
        _envelope("v1", "Secret", _field(1, 5)),
        _envelope("v1", "Secret", _field(1, _field(1, b"\xff"))),
        _envelope("v1", "Secret", _field(1, _field(8, _field(1, 2**63)))),
        _envelope("v1", "ConfigMap", _field(1, _field(17, _field(7, _field(1, b"NaN"))))),
        _envelope("v1", "ConfigMap", _field(1, _field(17, _field(7, _field(1, b"[" * 99999))))),
    ],
    ids=[
        "empty", "magic-alone", "no-number", "endless-number", "cut-off", "group", "wrong-type",
        "not-utf-8", "time-out-of-range", "nan", "deep-json",
    ],
)  # fmt: skip
def test_what_is_not_readable_is_400(body):
    with pytest.raises(ApiError) as caught:
        parse_body(body, PROTOBUF)
    assert caught.value.code == 400


def test_random_changes_of_a_body_are_read_or_rejected():
    body = _envelope("v1", "Secret", METADATA + _field(2, _field(1, "key") + _field(2, b"text")))
    dice = random.Random(7)
    for _ in range(2000):
        changed = bytearray(body)
        changed[dice.randrange(4, len(body))] = dice.randrange(256)
        with contextlib.suppress(ApiError):
            assert isinstance(parse_body(bytes(changed), PROTOBUF), dict)


def test_a_number_too_large_for_json_is_rejected_within_json_too():
    owned = _field(7, _field(1, b'{"f:data": 1e400}'))
    with pytest.raises(ApiError, match="too large"):
        _parse("v1", "ConfigMap", _field(1, _field(1, "one") + _field(17, owned)))


@pytest.mark.parametrize("length", [1, 9, 10_000])
def test_a_number_has_no_other_size_than_numbers_have(length):
    with pytest.raises(ApiError, match="instead of a number") as error:
        _parse("v1", "ConfigMap", _field(1, _field(1, "one") + _field(7, b"\x01" * length)))
    assert error.value.code == 400


def test_the_fields_of_a_message_are_bounded():
    with pytest.raises(ApiError, match="send JSON") as error:
        _parse("v1", "ConfigMap", METADATA + _field(2, b"") * 50_001)
    assert error.value.code == 400
