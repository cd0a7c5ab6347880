"""HTTP messages, and the CloudEvent that each is: one table for every receiver of events.

A receiver takes events over HTTP: the embedded Broker, the control functions, the runtimes.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

_STRUCTURED = (("content-type", b"application/cloudevents+json"),)
# What a refusal names where no attribute alone is at fault.
_ALL = "attributes"
BASE = {"specversion": "1.0", "id": "1", "source": "/s", "type": "t"}


@dataclass(frozen=True)
class Vector:
    """A message; `seen` are attributes of its event, or `field` is what a refusal names."""

    name: str
    headers: tuple[tuple[str, bytes], ...]
    body: bytes = b""
    seen: dict[str, str] | None = None
    field: str | None = None


@dataclass(frozen=True)
class Data:
    """A message by the type and the bytes of its data; `seen` is what a handler is given."""

    name: str
    content_type: str | None
    body: bytes
    seen: Any = None
    is_refused: bool = False


def _binary(**attributes: str | bytes | None) -> tuple[tuple[str, bytes], ...]:
    chosen = {**BASE, **attributes}
    return tuple(
        (f"ce-{name}", value.encode() if isinstance(value, str) else value)
        for name, value in chosen.items()
        if value is not None
    )


def _json(**members: object) -> bytes:
    return json.dumps({**BASE, **members}).encode()


def _raw(member: str) -> bytes:
    return json.dumps(BASE).encode()[:-1] + b", " + member.encode() + b"}"


def _header(name: str, value: str | bytes, seen: str) -> list[Vector]:
    return [Vector(f"header: {name}", _binary(id=value), seen={"id": seen})]


def _both(name: str, field: str, value: str, seen: str | None = None) -> list[Vector]:
    """A value that means the same in either mode: taken as `seen`, or refused."""
    encoded = "".join(c if c.isalnum() else "".join(f"%{b:02X}" for b in c.encode()) for c in value)
    outcome: dict[str, Any] = {"field": field} if seen is None else {"seen": {field: seen}}
    return [
        Vector(f"binary: {name}", _binary(**{field: encoded}), **outcome),
        Vector(f"structured: {name}", _STRUCTURED, _json(**{field: value}), **outcome),
    ]


def _member(name: str, field: str, value: object) -> list[Vector]:
    return [
        Vector(f"structured: {name}", _STRUCTURED, _json(**{field: value}), field=field),
    ]


def _taken(field: str, *values: str) -> list[Vector]:
    return [v for value in values for v in _both(f"{field} {value}", field, value, value)]


def _refused(field: str, *values: str) -> list[Vector]:
    return [v for value in values for v in _both(f"{field} {value!a}", field, value)]


def _lines(name: str, field: str, *lines: tuple[str, bytes]) -> list[Vector]:
    return [Vector(f"binary: {name}", (*_binary(), *lines), field=field)]


def _nested(levels: int) -> str:
    return "[" * levels + "]" * levels


def _levels(number: int) -> list[Any]:
    value: list[Any] = []
    for _ in range(number - 1):
        value = [value]
    return value


def _extensions(number: int, length: int) -> bytes:
    """An event of so many attributes, all but the required ones of that length."""
    text = b"x" * length
    extensions = (b', "e%06d": "%s"' % (i, text) for i in range(number - len(BASE)))
    return _json()[:-1] + b"".join(extensions) + b"}"


def _many(number: int, length: int, *, is_taken: bool) -> list[Vector]:
    body = _extensions(number, length)
    headers = tuple((f"ce-{name}", value.encode()) for name, value in json.loads(body).items())
    outcome: dict[str, Any] = {"seen": BASE} if is_taken else {"field": _ALL}
    return [
        Vector(f"binary: {number} attributes of {length}", headers, **outcome),
        Vector(f"structured: {number} attributes of {length}", _STRUCTURED, body, **outcome),
    ]


def _of_bytes(character: str, *, is_taken: bool) -> list[Vector]:
    """An event whose attributes have 64 KiB, of which an extension has most, or a byte more."""
    others = sum(len(name) + len(value) for name, value in BASE.items())
    size = 64 * 1024 - others - len("big") - len("n")
    text = character * (size // len(character.encode()))
    padding = "n" * (size - len(text.encode()) + (not is_taken))
    name = f"{'64 KiB' if is_taken else 'a byte more than 64 KiB'} of {character!a}"
    outcome: dict[str, Any] = {"seen": {"big": text}} if is_taken else {"field": _ALL}
    escaped = "".join(f"%{byte:02X}" for byte in text.encode())
    return [
        Vector(f"binary: {name}", _binary(big=escaped, n=padding), **outcome),
        Vector(f"structured: {name}", _STRUCTURED, _json(big=text, n=padding), **outcome),
    ]


VECTORS: list[Vector] = [
    Vector("binary: the least event", _binary(), seen=BASE),
    Vector("structured: the least event", _STRUCTURED, _json(), seen=BASE),
    Vector(
        "structured: a byte order mark", _STRUCTURED, b"\xef\xbb\xbf" + _json(id="x"), {"id": "x"}
    ),
    # Header values are taken out of their quotes, and then percent-decoded once.
    *_header("a space that is encoded", "a%20b", "a b"),
    *_header("a space in quotes", '"a b"', "a b"),
    *_header("a space as it is", "a b", "a b"),
    *_header("quotes around what is encoded", '"a%20b"', "a b"),
    *_header("a quote in quotes", r'"a\"b\\c\d"', 'a"b\\cd'),
    *_header("a quote that is encoded", "%22a%22", '"a"'),
    *_header("one quote", '"a', '"a'),
    *_header("quotes that do not end", '"a\\"', '"a\\"'),
    *_header("quotes in the middle", 'a"b"c', 'a"b"c'),
    *_header("an encoding of an encoding", "a%2520b", "a%20b"),
    *_header("a percent sign", "100%", "100%"),
    *_header("a percent sign before no digits", "%zz", "%zz"),
    *_header("lower-case digits", "caf%c3%a9", "café"),
    *_header("UTF-8", b"caf\xc3\xa9", "café"),
    *_header("a character of four bytes", "%F0%9F%98%80", "\U0001f600"),
    *_header("an encoded comma", "a%2Cb", "a,b"),
    Vector("structured: a space", _STRUCTURED, _json(id="a b"), seen={"id": "a b"}),
    Vector("structured: no decoding", _STRUCTURED, _json(id="a%20b"), seen={"id": "a%20b"}),
    Vector("binary: bytes that are no UTF-8", _binary(id=b"caf\xe9"), field="id"),
    Vector("binary: an encoding that is no UTF-8", _binary(id="caf%E9"), field="id"),
    Vector("binary: an encoded surrogate", _binary(id="%ED%A0%80"), field="id"),
    # An attribute is there once.
    *_lines("two ids", "id", ("ce-id", b"2")),
    *_lines("an id twice", "id", ("ce-id", b"1")),
    *_lines("two ids of different case", "id", ("CE-ID", b"2")),
    *_lines("two sources", "source", ("ce-source", b"/t")),
    *_lines("two types", "type", ("ce-type", b"u")),
    *_lines("two versions", "specversion", ("ce-specversion", b"1.0")),
    # What is required, and what may not be empty.
    *(Vector(f"binary: no {name}", _binary(**{name: None}), field=name) for name in BASE),
    *(v for name in BASE for v in _both(f"an empty {name}", name, "")),
    *(v for name in ("subject", "time", "dataschema") for v in _both(f"an empty {name}", name, "")),
    *_member("an empty datacontenttype", "datacontenttype", ""),
    *_refused("specversion", "0.3", "2.0"),
    Vector("structured: null is absent", _STRUCTURED, _json(subject=None), seen=BASE),
    *_member("no id but null", "id", None),
    # Types of the JSON format.
    *(
        v
        for name in (*BASE, "subject", "time", "dataschema", "datacontenttype")
        for value in (5, True, ["x"], {"a": "x"})
        for v in _member(f"{name} {value!r}", name, value)
    ),
    Vector(
        "structured: integers",
        _STRUCTURED,
        _json(a=2**31 - 1, b=-(2**31), c=0),
        seen={"a": "2147483647", "b": "-2147483648", "c": "0"},
    ),
    Vector("structured: a whole number", _STRUCTURED, _raw('"a": 5.0'), seen={"a": "5"}),
    Vector(
        "structured: booleans",
        _STRUCTURED,
        _json(a=True, b=False),
        seen={"a": "true", "b": "false"},
    ),
    Vector("structured: an empty extension", _STRUCTURED, _json(a=""), seen={"a": ""}),
    *(
        v
        for value in (2**31, -(2**31) - 1, 10**30, 1.5, [1], {"a": 1})
        for v in _member(f"extension {value!r}", "a", value)
    ),
    # Strings hold no control characters, no half surrogates, no noncharacters.
    *_refused("subject", "a\nb", "a\x00b", "\x7f", "\x85", "\ufdd0", "\uffff"),
    Vector(
        "structured: a half surrogate", _STRUCTURED, _raw(r'"subject": "\ud800"'), field="subject"
    ),
    *_taken("subject", "a/b", "caf\u00e9", "\u65e5\u672c", "\U0001f600", '"a"', "100%"),
    Vector(
        "structured: half a surrogate in the data",
        _STRUCTURED,
        _raw(r'"data": ["\ud800"]'),
        seen=BASE,
    ),
    # Names.
    *_lines("a name with a dash", "my-name", ("ce-my-name", b"x")),
    *_lines("a name with an underscore", "my_name", ("ce-my_name", b"x")),
    *_lines("data as an attribute", "data", ("ce-data", b"x")),
    *_member("an upper-case name", "myName", "x"),
    *_member("a name with a dash", "my-name", "x"),
    Vector("binary: a name of 64", (*_binary(), ("ce-" + "a" * 64, b"x")), seen={"a" * 64: "x"}),
    Vector("binary: a name of 65", (*_binary(), ("ce-" + "a" * 65, b"x"))),
    Vector("binary: no name", (*_binary(), ("ce-", b"x"))),
    Vector("structured: a name of 65", _STRUCTURED, _json(**{"a" * 65: "x"})),
    # Times.
    *_taken(
        "time",
        "2026-01-02T03:04:05Z",
        "2026-01-02t03:04:05.123456789z",
        "2026-01-02T03:04:05+02:00",
        "2016-12-31T23:59:60Z",
        "2026-01-02T03:04:05-00:00",
        "2026-01-02T03:04:05.1+23:59",
    ),
    *_refused(
        "time",
        "now",
        "2026-01-02",
        "2026-01-02T03:04:05",
        "2026-02-30T00:00:00Z",
        "2026-01-02 03:04:05Z",
        "2026-01-02T25:00:00Z",
        "1767268800",
        "2026-01-02T24:00:00Z",
        "2026-01-02T03:60:00Z",
        "2026-01-02T03:04:61Z",
        "2026-01-02T03:04:05+24:00",
        "2026-01-02T03:04:05+02",
        "2026-01-02T03:04:05.Z",
        "0000-01-01T00:00:00Z",
        "\u0662026-01-02T03:04:05Z",
    ),
    # URI-references.
    *_taken(
        "source",
        "/s",
        "s",
        "a/b:c",
        "urn:uuid:1",
        "mailto:a@b.example",
        "//host/path",
        "?query",
        "#part",
        "https://user:word@host:8080/p?a[]=1#f",
        "http://[::1]:80/",
        "http://[v1.a]/",
        "https://h",
        "localhost:8080",
        "/a%20b",
        "/a b",
        "/caf\u00e9",
        "https://caf\u00e9.example/",
    ),
    *_refused(
        "source",
        "http://[bad",
        "http://[::1",
        "http://bad]",
        "http://[x]/",
        "//[",
        "http://h:port",
        "http://a b/",
        "127.0.0.1:8080",
        ":path",
        "1a:b",
        "/100%",
        "/%zz",
        "http://%zz",
    ),
    # URIs.
    *_taken("dataschema", "https://example.com/s.json", "urn:schema:1", "https://e/s#part"),
    *_refused(
        "dataschema",
        "s.json",
        "/s.json",
        "//host/s.json",
        "#part",
        "?a",
        "http://[bad",
        "1:b",
        "https://e/%",
    ),
    # As many attributes as heads and databases can take, and as much of them.
    *_many(256, 1, is_taken=True),
    *_many(257, 1, is_taken=False),
    *_many(200, 327, is_taken=True),
    *_many(200, 328, is_taken=False),
    Vector("structured: attributes without end", _STRUCTURED, _extensions(450_000, 1), field=_ALL),
    *_of_bytes("x", is_taken=True),
    *_of_bytes("\u00e9", is_taken=True),
    *_of_bytes("x", is_taken=False),
    *_of_bytes("\u00e9", is_taken=False),
    Vector(
        "structured: a datacontenttype without end",
        _STRUCTURED,
        _json(datacontenttype="x" * 900_000, data="x"),
        field=_ALL,
    ),
    Vector("structured: data without end", _STRUCTURED, _json(data={"x": "x" * 900_000}), BASE),
    # Structured events that are no JSON, or no event.
    *(
        Vector(f"structured: {name}", _STRUCTURED, body)
        for name, body in {
            "nothing": b"",
            "half": b"{",
            "a list": b"[]",
            "null": b"null",
            "a number": b"5",
            "invalid UTF-8": _json()[:-1] + b', "subject": "caf\xe9"}',
            "invalid UTF-8 in the data": _json()[:-1] + b', "data": "\xff"}',
            "a surrogate in UTF-8": _json()[:-1] + b', "subject": "\xed\xa0\x80"}',
            "UTF-16": _json().decode().encode("utf-16"),
            "NaN as data": _raw('"data": NaN'),
            "NaN in data": _raw('"data": {"a": [NaN]}'),
            "Infinity": _raw('"data": Infinity'),
            "minus Infinity": _raw('"data": -Infinity'),
            "NaN in an extension": _raw('"a": NaN'),
            "two documents": _json() + _json(),
            "nesting without end": b"[" * 100_000,
            "deep nesting": _raw(f'"data": {_nested(512)}'),
            "nesting of a million": _raw(f'"data": {_nested(1_000_000)}'),
            "an extension that no double holds": _raw('"a": 1e400'),
            "a number that no double holds": _raw('"data": 1e400'),
            "an integer that no double holds": _raw(f'"data": {"9" * 309}'),
            "an integer of 5000 digits": _raw(f'"data": [{"1" * 5000}]'),
        }.items()
    ),
    *(
        Vector(
            f"structured: data_base64 {value!r}",
            _STRUCTURED,
            _json(data_base64=value),
            field="data_base64",
        )
        for value in ("?", "AA", "A===", "====", "=AAA", "AA=A", "AA==\n", "-_==", 5, ["AA=="])
    ),
    Vector("structured: nesting", _STRUCTURED, _raw(f'"data": {_nested(511)}'), BASE),
    Vector("no event", (("content-type", b"application/json"),), b"{}", field="specversion"),
    Vector("nothing at all", (), field="specversion"),
    Vector(
        "structured: headers do not matter",
        (*_STRUCTURED, *_binary(), ("ce-id", b"3"), ("ce-my-name", b"")),
        _json(id="x"),
        seen={"id": "x"},
    ),
    Vector(
        "structured: the type's parameters do not matter",
        (("content-type", b"Application/CloudEvents+JSON ; charset=UTF-8"),),
        _json(id="x"),
        seen={"id": "x"},
    ),
    Vector(
        "binary: the type of the data is the Content-Type's to say",
        (*_binary(), ("ce-datacontenttype", b"text/csv"), ("content-type", b"text/plain")),
        b"x",
        seen={"datacontenttype": "text/plain"},
    ),
]
"""Of attributes: for every receiver."""


DATA: list[Data] = [
    Data("JSON", "application/json", b'{"a": [1, "caf\xc3\xa9"]}', {"a": [1, "café"]}),
    Data("JSON of a type of its own", "application/vnd.x+json; charset=utf-8", b"[1]", [1]),
    Data("JSON with a byte order mark", "application/json", b'\xef\xbb\xbf{"a": 1}', {"a": 1}),
    Data("JSON without a type", None, b'{"a": 1}', {"a": 1}),
    Data("no JSON without a type", None, b"a,b", b"a,b"),
    Data("nothing", "application/json", b""),
    Data("half of JSON", "application/json", b'{"a":', is_refused=True),
    Data("NaN", "application/json", b'{"a": NaN}', is_refused=True),
    Data("Infinity", "application/json", b"[-Infinity]", is_refused=True),
    Data("JSON that is no UTF-8", "application/json", b'"caf\xe9"', is_refused=True),
    Data("JSON in UTF-16", "application/json", '{"a": 1}'.encode("utf-16"), is_refused=True),
    Data(
        "the greatest number", "application/json", b"1.7976931348623157e308", 1.7976931348623157e308
    ),
    Data("a great integer", "application/json", b"1" + b"0" * 20, 10**20),
    Data("a number of many digits", "application/json", b"0." + b"1" * 400, 1 / 9),
    Data("a number near nothing", "application/json", b"[1e-400]", [0.0]),
    Data("a number that no double holds", "application/json", b"1e400", is_refused=True),
    Data("its negative", "application/json", b'{"a": [-1E+400]}', is_refused=True),
    Data("a shorter one", "application/json", b"2e308", is_refused=True),
    Data("an integer that no double holds", "application/json", b"9" * 309, is_refused=True),
    Data("an integer of 5000 digits", "application/json", b"-" + b"1" * 5000, is_refused=True),
    Data("digits in a string", "application/json", b'"\\"1e400"', '"1e400'),
    Data("512 levels", "application/json", _nested(512).encode(), _levels(512)),
    Data("513 levels", "application/json", _nested(513).encode(), is_refused=True),
    Data("513 objects", "application/json", b'{"a":' * 513 + b"1" + b"}" * 513, is_refused=True),
    Data("a million levels", "application/json", _nested(1_000_000).encode(), is_refused=True),
    Data("a thousand of one level", "application/json", b"[" + b"[]," * 999 + b"[]]", [[]] * 1000),
    Data(
        "brackets in strings",
        "application/json",
        b'["' + b"[{" * 999 + b'", "\\"' + b"[" * 999 + b'\\\\"]',
        ["[{" * 999, '"' + "[" * 999 + "\\"],
    ),
    Data("deep JSON without a type", None, _nested(513).encode(), _nested(513).encode()),
    Data("bytes", "application/octet-stream", b"\x00\xff", b"\x00\xff"),
]
"""Of data: for all that give it to a handler."""


TEXTS: list[Data] = [
    Data("text", "text/plain", b"caf\xc3\xa9", "café"),
    Data("text that is no UTF-8", "text/plain", b"caf\xe9", b"caf\xe9"),
    Data("text in Latin-1", "text/plain; charset=iso-8859-1", b"caf\xe9", "café"),
    Data("a charset in quotes", 'text/plain; charset="ISO-8859-1"', b"caf\xe9", "café"),
    Data("a charset among others", "text/plain;format=flowed ;Charset=latin1", b"\xe9", "é"),
    Data("UTF-8 that is named", "text/plain; charset=UTF8", b"caf\xc3\xa9", "café"),
    Data("ASCII", "text/plain; charset=us-ascii", b"cafe", "cafe"),
    Data("no ASCII", "text/plain; charset=us-ascii", b"caf\xe9", b"caf\xe9"),
    Data("of Windows", "text/csv; charset=windows-1252", b"\x80 \x93a\x94", "€ “a”"),
    Data("Cyrillic", "text/plain; charset=koi8-r", "мир".encode("koi8-r"), "мир"),
    Data("UTF-16 with its mark", "text/plain; charset=utf-16", b"\xfe\xff\x00a", "a"),
    Data("UTF-16, little end first", "text/plain; charset=utf-16le", b"a\x00", "a"),
    Data("half of UTF-16", "text/plain; charset=utf-16le", b"a\x00b", b"a\x00b"),
    Data("a charset that nobody knows", "text/plain; charset=klingon", b"abc", b"abc"),
    Data("a charset that is none", "text/plain; charset=rot13", b"abc", b"abc"),
    Data("a charset of Python alone", "text/plain; charset=idna", b"abc", b"abc"),
    Data("an empty charset", "text/plain; charset=", b"caf\xc3\xa9", "café"),
    Data("a charset of what is no text", "image/png; charset=utf-8", b"abc", b"abc"),
]
"""Of text: for the runtimes."""
