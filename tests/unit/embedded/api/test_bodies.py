"""What a body may say, and what it may cost to read."""

from __future__ import annotations

import json

import pytest

from lambda_embedded.api.bodies.parsing import parse_body
from lambda_embedded.api.errors import ApiError

JSON = "application/json"
YAML = "application/yaml"


@pytest.mark.parametrize("number", ["1e400", "-1e400", "1" * 400 + ".0", "NaN", "Infinity"])
@pytest.mark.parametrize("form", [JSON, "application/merge-patch+json"])
def test_a_number_that_json_cannot_tell_again_is_rejected(form, number):
    with pytest.raises(ApiError) as error:
        parse_body(b'{"a": ' + number.encode() + b"}", form)
    assert error.value.code == 400
    assert len(error.value.message) < 200


@pytest.mark.parametrize("body", ['{"a": 1e400}', "a: 1.0e+400", "a: .inf", "a: .nan"])
def test_yaml_is_held_to_the_same(body):
    with pytest.raises(ApiError) as error:
        parse_body(body.encode(), YAML)
    assert error.value.code == 400


@pytest.mark.parametrize("number", ["1e300", "-0.5", "1E2", "123456789012345678901234567890"])
def test_other_numbers_are_read(number):
    value = parse_body(b'{"a": ' + number.encode() + b"}", JSON)
    assert value == {"a": json.loads(number)}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("5", 5), ("-5", -5), ("0", 0), ("+1_000", 1000), ("0x1F", 31), ("0b11", 3), ("017", 15),
        ("1.5", 1.5), (".5", 0.5), ("1.0e+3", 1000.0), ("1:30", "1:30"), ("1:30.5", "1:30.5"),
        ("2020-01-01", "2020-01-01"), ("yes", True), ("~", None), ("text", "text"),
        ("1.2.3", "1.2.3"), ("08", "08"),
    ],
)  # fmt: skip
def test_the_values_of_yaml(text, value):
    found = parse_body(f"a: {text}".encode(), YAML)["a"]
    assert (found, type(found)) == (value, type(value))


def test_a_long_number_to_the_base_of_sixty_is_a_text():
    text = "1:" * 10_000 + "1"
    assert parse_body(f"a: {text}".encode(), YAML) == {"a": text}


def test_yaml_of_too_many_values_is_rejected_and_json_is_the_way_out():
    with pytest.raises(ApiError, match="send it as JSON") as error:
        parse_body(b"{" + b"a: 1," * 30_000 + b"}", YAML)
    assert error.value.code == 400
    assert parse_body(b"[" + b"1," * 60_000 + b"1]", YAML)[-1] == 1


def test_yaml_of_many_values_is_read():
    assert (
        len(parse_body(b"a: x\n" + b"".join(b"k%d: v\n" % i for i in range(10_000)), YAML))
        == 10_001
    )
