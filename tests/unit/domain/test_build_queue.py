"""Whose build is next."""

from datetime import UTC, datetime, timedelta

import pytest

from knative_lambda.domain.build_queue import (
    BuildLimits,
    QueuedBuild,
    may_run_now,
    place_in_words,
    waiting_in_order,
)
from knative_lambda.domain.names import FunctionId

NOON = datetime(2026, 1, 15, 12, tzinfo=UTC)


def builds(text):
    """`"a1 a2? b3?"` are builds of tenants a and b in order of age; those with `?` wait."""
    return [
        QueuedBuild(
            name=word.removesuffix("?"),
            uid=word,
            version="1",
            function=FunctionId(word[0], word[:2]),
            build_id="1" * 64,
            request_id=f"{number:03}",
            created_at=NOON + timedelta(seconds=number // 2),
            waits=word.endswith("?"),
        )
        for number, word in enumerate(text.split())
    ]


def names(found):
    return " ".join(build.name for build in found)


@pytest.mark.parametrize(
    ("text", "order"),
    [
        ("a1? a2? a3?", "a1 a2 a3"),
        ("a1? a2? a3? b4? c5?", "a1 b4 c5 a2 a3"),
        ("a1 a2 b3 a4? b5? c6?", "c6 b5 a4"),
        ("a1 b2", ""),
    ],
    ids=["by age", "in turns", "who has the fewest comes first", "none waits"],
)
def test_the_next_place_goes_to_the_tenant_with_the_fewest_builds(text, order):
    assert names(waiting_in_order(builds(text))) == order


@pytest.mark.parametrize(
    ("text", "in_all", "per_tenant", "admitted"),
    [
        ("a1? a2? a3?", 2, 9, "a1 a2"),
        ("a1? a2? a3?", 9, 2, "a1 a2"),
        ("a1 a2 a3? b4?", 3, 2, "b4"),
        ("a1 a2 a3 a4? b5?", 3, 2, ""),
        ("a1 a2 a3? a4? b5? b6?", 9, 3, "b5 b6 a3"),
    ],
    ids=["room in all", "room of a tenant", "one is full", "over the limit", "both"],
)
def test_as_many_run_as_there_is_room_for(text, in_all, per_tenant, admitted):
    limits = BuildLimits(in_all=in_all, per_tenant=per_tenant)
    assert names(may_run_now(builds(text), limits)) == admitted


def test_a_tenant_that_asks_for_a_thousand_delays_another_by_no_more_than_one_build():
    many = builds(" ".join(f"a{number}?" for number in range(1000)) + " b0?")
    assert waiting_in_order(many)[1].name == "b0"


@pytest.mark.parametrize(
    ("place", "of", "words"),
    [
        (1, 1, "1st of 1 waiting build"),
        (2, 7, "2nd of 7 waiting builds"),
        (3, 7, "3rd of 7 waiting builds"),
        (11, 40, "11th of 40 waiting builds"),
        (23, 40, "23rd of 40 waiting builds"),
        (112, 200, "112th of 200 waiting builds"),
    ],
)
def test_a_place_is_told_in_words(place, of, words):
    assert place_in_words(place, of) == words
