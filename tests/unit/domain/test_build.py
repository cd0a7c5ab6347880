from hypothesis import given
from hypothesis import strategies as st

from knative_lambda.domain.build import build_id, packages_key
from knative_lambda.domain.deployment import ServiceState
from knative_lambda.domain.errors import (
    EventTooLargeError,
    PlatformUnavailableError,
    SourceNotFoundError,
)

hashes = st.from_regex(r"[0-9a-f]{64}", fullmatch=True)
identities = st.fixed_dictionaries(
    {
        "source_sha256": hashes,
        "runtime": st.sampled_from(["python3.11", "nodejs22"]),
        "base_image_digest": hashes.map("sha256:{}".format),
        "builder_version": st.sampled_from(["1", "1.0"]),
        "packages_key": st.just("") | hashes,
    }
)
packages = st.fixed_dictionaries(
    {
        "requested_sha256": hashes,
        "runtime": st.sampled_from(["python3.11", "nodejs22"]),
        "platform": st.sampled_from(["linux-x86_64", "linux-aarch64"]),
        "index": st.sampled_from(["", "https://index"]),
        "policy": st.sampled_from(["", "strict"]),
        "builder_version": st.sampled_from(["1", "1.0"]),
        "epoch": st.sampled_from(["", "2026-01-01T00:00:00+00:00/1"]),
    }
)


@given(identities, identities)
def test_builds_are_the_same_when_all_that_decides_their_image_is(one, other):
    assert (build_id(**one) == build_id(**other)) == (one == other)


@given(packages, packages)
def test_packages_are_the_same_when_all_that_decides_them_is(one, other):
    assert (packages_key(**one) == packages_key(**other)) == (one == other)


def test_a_revision_that_starts_has_neither_failed_nor_become_ready():
    assert not ServiceState(ready=False).failed
    assert ServiceState(ready=False, failure_reason="RevisionFailed").failed
    assert not ServiceState(ready=True, failure_reason="left over").failed


def test_the_reason_of_an_error_is_its_name():
    assert SourceNotFoundError("gone").reason == "SourceNotFound"
    assert EventTooLargeError("big").reason == "EventTooLarge"
    assert PlatformUnavailableError("down", field="x").field == "x"
