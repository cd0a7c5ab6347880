import contextlib
import re

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from knative_lambda.domain.build import context_key, image_tag, job_name, log_key, tombstone_key
from knative_lambda.domain.names import FunctionId, derived_name

DNS_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")

namespaces = st.from_regex(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?", fullmatch=True)
names = st.from_regex(r"[a-z]([-a-z0-9]{0,43}[a-z0-9])?", fullmatch=True)
functions = st.builds(FunctionId, namespaces, names)
builds = st.from_regex(r"[0-9a-f]{64}", fullmatch=True)


@given(functions)
def test_a_function_is_read_from_what_it_is_written_as(function):
    assert FunctionId.parse(str(function)) == function


@given(functions, builds)
def test_the_name_of_a_job_is_a_dns_label(function, build):
    assert DNS_LABEL.fullmatch(job_name(function, build))


@given(st.tuples(functions, builds), st.tuples(functions, builds))
def test_jobs_of_different_requests_never_meet(one, other):
    assume(one != other)
    assert job_name(*one) != job_name(*other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (FunctionId("a-b", "c"), FunctionId("a", "b-c")),
        (FunctionId("n" * 63, "a" * 45), FunctionId("n" * 63, "a" * 44 + "b")),
    ],
    ids=["same when joined", "same when cut"],
)
def test_functions_that_look_alike_have_jobs_of_their_own(one, other):
    assert job_name(one, "0" * 64) != job_name(other, "0" * 64)


@given(st.text(alphabet="ab-", min_size=1), st.lists(st.text(), min_size=1, max_size=3))
def test_the_same_identity_always_has_the_same_name(readable, identity):
    assume(not readable.startswith("-"))
    name = derived_name(readable, *identity)
    assert name == derived_name(readable, *identity)
    assert len(name) <= 63
    assert not name.endswith("-")


def test_a_cut_never_leaves_two_dashes_before_the_hash():
    assert "--" not in derived_name("a" * 45 + "-b", "x")


@given(functions, builds)
def test_what_is_kept_of_a_build_is_below_its_lambda(function, build):
    assert context_key(function, build) == f"contexts/{function}/{build}"
    assert log_key(function, build) == f"logs/{function}/{build}.log"
    assert tombstone_key(function) == f"deleted/{function}"
    assert TAG.fullmatch(image_tag(build))


@pytest.mark.parametrize(
    "subject",
    [
        "hello",
        "/hello",
        "default/",
        "default/Hello",
        "default/1hello",
        "default/hello-",
        "default/hel.lo",
        "default/hello/more",
        "default/hello\n",
        "a_b/hello",
        "default/" + "a" * 46,
        "n" * 64 + "/hello",
        "défault/hello",
        "default/hell\N{CYRILLIC SMALL LETTER O}",
        "default/\ud800",
        "../hello",
    ],
)
def test_what_is_no_function_is_refused_with_the_rule(subject):
    with pytest.raises(ValueError, match=r"must be|must be <namespace>/<name>"):
        FunctionId.parse(subject)


@given(st.text())
def test_any_text_is_a_function_or_is_refused(subject):
    with contextlib.suppress(ValueError):
        assert str(FunctionId.parse(subject)) == subject
