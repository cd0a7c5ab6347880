"""What a hostile git server can put into a pack."""

from __future__ import annotations

import contextlib
import hashlib
import io
import struct
import tracemalloc
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knative_lambda.adapters.hosted_sources.git_pack import Bounds, unpack
from knative_lambda.domain.errors import (
    KnativeLambdaError,
    LimitExceededError,
    SourceUnavailableError,
    UnsupportedSourceError,
)

BLOB, OFFSET_DELTA, ID_DELTA = 3, 6, 7
HELLO = b"hello, world\n"


def head(kind, size):
    first, size = kind << 4 | size & 15, size >> 4
    numbers = bytearray()
    while size:
        numbers.append(first | 0x80)
        first, size = size & 0x7F, size >> 7
    return bytes(numbers) + bytes([first])


def entry(kind, content, *, size=None, base=b""):
    return head(kind, len(content) if size is None else size) + base + zlib.compress(content)


def pack(*entries, count=None, version=2):
    header = struct.pack(">4sLL", b"PACK", version, len(entries) if count is None else count)
    return header + b"".join(entries) + b"\0" * 20


def number(value):
    parts = bytearray()
    while value >= 0x80:
        parts.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*parts, value])


def delta(base_size, size, *commands):
    return number(base_size) + number(size) + b"".join(commands)


def copy(start, length):
    return bytes([0x80 | 0x7F]) + start.to_bytes(4, "little") + length.to_bytes(3, "little")


def insert(text):
    return bytes([len(text)]) + text


def id_of(content):
    return hashlib.sha1(b"blob %d\0%b" % (len(content), content)).digest()


def unpacked(content, *, max_bytes=10_000_000, max_objects=10_000, check_time=lambda: None):
    bounds = Bounds(max_bytes=max_bytes, max_objects=max_objects, check_time=check_time)
    return unpack(io.BytesIO(content), io.BytesIO(), bounds)


def content_of(objects, content):
    place = objects.find(id_of(content))
    return None if place is None else objects.read(place)


@given(st.lists(st.binary(max_size=300_000), max_size=5))
def test_objects_are_known_by_the_hash_of_what_they_contain(contents):
    objects = unpacked(pack(*(entry(BLOB, content) for content in contents)))
    for content in contents:
        assert content_of(objects, content) == content
    assert objects.find(id_of(b"another")) is None


def test_a_delta_makes_one_object_of_another():
    whole = HELLO[7:12] + b"!" + HELLO[:5]
    change = delta(len(HELLO), len(whole), copy(7, 5), insert(b"!"), copy(0, 5))
    base = entry(BLOB, HELLO)
    for made in (
        entry(OFFSET_DELTA, change, base=bytes([len(base)])),
        entry(ID_DELTA, change, base=id_of(HELLO)),
    ):
        objects = unpacked(pack(base, made))
        assert content_of(objects, whole) == whole
        assert content_of(objects, HELLO) == HELLO


def test_a_delta_may_come_before_its_base_and_before_those_that_wait_for_it():
    second, third = HELLO + b"2", HELLO + b"23"
    objects = unpacked(
        pack(
            entry(ID_DELTA, delta(14, 15, copy(0, 14), insert(b"3")), base=id_of(second)),
            entry(ID_DELTA, delta(13, 14, copy(0, 13), insert(b"2")), base=id_of(HELLO)),
            entry(BLOB, HELLO),
        )
    )
    assert content_of(objects, third) == third


def test_a_chain_of_deltas_may_be_as_long_as_the_pack():
    entries, content = [entry(BLOB, HELLO)], HELLO
    for _ in range(3000):
        change = delta(len(content), len(content) + 1, copy(0, len(content)), insert(b"x"))
        entries.append(entry(OFFSET_DELTA, change, base=bytes([len(entries[-1])])))
        content += b"x"
    assert content_of(unpacked(pack(*entries)), content) == content


def test_a_delta_without_its_base_makes_nothing():
    objects = unpacked(pack(entry(ID_DELTA, delta(13, 1, insert(b"x")), base=id_of(b"gone"))))
    assert objects.find(id_of(b"x")) is None


def test_an_object_that_states_little_and_has_much_is_damaged():
    with pytest.raises(UnsupportedSourceError, match="larger than it states"):
        unpacked(pack(entry(BLOB, b"\0" * 50_000_000, size=10)))


def test_a_bomb_is_refused_before_it_is_unpacked_and_takes_no_memory():
    bomb = pack(entry(BLOB, b"\0" * 50_000_000))
    tracemalloc.start()
    try:
        with pytest.raises(LimitExceededError, match="over 1000000 bytes") as refused:
            unpacked(bomb, max_bytes=1_000_000)
        assert tracemalloc.get_traced_memory()[1] < 2_000_000
    finally:
        tracemalloc.stop()
    assert refused.value.field == "source.uri"


def test_deltas_that_multiply_their_base_are_refused_when_there_is_no_more_room():
    base = b"x" * 60_000
    change = delta(60_000, 60_000 * 100, *[copy(0, 60_000)] * 100)
    entries = [entry(BLOB, base), *[entry(ID_DELTA, change, base=id_of(base))] * 100]
    with pytest.raises(LimitExceededError):
        unpacked(pack(*entries))


def test_a_pack_of_too_many_objects_is_refused_by_its_head():
    with pytest.raises(LimitExceededError, match="over 10000 objects; put the function"):
        unpacked(pack(count=2**32 - 1))


def test_time_is_looked_at_while_one_delta_is_applied():
    def no_time():
        raise SourceUnavailableError("too long")

    ticks = iter([None, None, None])
    base = b"x" * 100_000
    change = delta(100_000, 10_000_000, *[copy(0, 100_000)] * 100)
    with pytest.raises(SourceUnavailableError):
        unpacked(
            pack(entry(BLOB, base), entry(ID_DELTA, change, base=id_of(base))),
            max_bytes=10**8,
            check_time=lambda: next(ticks, True) and no_time(),
        )


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"PACK",
        b"JUNK" + pack()[4:],
        pack(version=4),
        pack(count=1),
        pack(entry(0, b"")),
        pack(entry(5, b"")),
        pack(entry(BLOB, HELLO, size=5)),
        pack(entry(BLOB, HELLO, size=50)),
        pack(entry(BLOB, HELLO)[:-3], count=1)[:-20],
        pack(b"\xff" * 50),
        pack(head(BLOB, 3) + b"no zlib"),
        pack(entry(BLOB, HELLO), entry(OFFSET_DELTA, delta(13, 1), base=b"\xff" * 30)),
        pack(entry(BLOB, HELLO), entry(ID_DELTA, b"", base=id_of(HELLO))),
        pack(entry(BLOB, HELLO), entry(ID_DELTA, b"\xff" * 20, base=id_of(HELLO))),
        pack(entry(BLOB, HELLO), entry(ID_DELTA, delta(12, 1, insert(b"x")), base=id_of(HELLO))),
        pack(entry(BLOB, HELLO), entry(ID_DELTA, delta(13, 2, insert(b"x")), base=id_of(HELLO))),
        pack(entry(BLOB, HELLO), entry(ID_DELTA, delta(13, 1, insert(b"xy")), base=id_of(HELLO))),
        pack(entry(BLOB, HELLO), entry(ID_DELTA, delta(13, 5, copy(10, 5)), base=id_of(HELLO))),
        pack(entry(BLOB, HELLO), entry(ID_DELTA, delta(13, 1, b"\0"), base=id_of(HELLO))),
        pack(entry(BLOB, HELLO), entry(ID_DELTA, delta(13, 5, b"\x05ab"), base=id_of(HELLO))),
        pack(entry(BLOB, HELLO), entry(ID_DELTA, delta(13, 5, b"\xff\0"), base=id_of(HELLO))),
    ],
)
def test_a_damaged_pack_is_told(content):
    with pytest.raises(UnsupportedSourceError, match="git host sends is damaged") as refused:
        unpacked(content)
    assert refused.value.field == "source.uri"


@given(st.data())
def test_no_change_of_a_pack_breaks_its_reader(data):
    base = entry(BLOB, HELLO)
    change = delta(13, 10, copy(0, 5), insert(b"abcde"))
    good = bytearray(pack(base, entry(OFFSET_DELTA, change, base=bytes([len(base)]))))
    for _ in range(data.draw(st.integers(1, 4))):
        good[data.draw(st.integers(0, len(good) - 1))] = data.draw(st.integers(0, 255))
    # Whatever it is by now, no other error comes of it.
    with contextlib.suppress(KnativeLambdaError):
        unpacked(bytes(good), max_bytes=100_000)
