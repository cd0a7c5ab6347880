"""What a failure with an archive, an image or a registry means to a build."""

from __future__ import annotations

import pytest

from lambda_builder.errors import PlatformError, UserError, build_error
from lambda_oci.errors import (
    ContentError,
    OciError,
    RejectedError,
    SetupError,
    StoredImageError,
    ThrottledError,
    UnavailableError,
)


def errors_below(kind):
    yield kind
    for below in kind.__subclasses__():
        yield from errors_below(below)


def test_only_a_mistake_in_the_content_is_the_users():
    kinds = {
        UserError: {ContentError},
        PlatformError: {
            OciError, RejectedError, SetupError, StoredImageError, ThrottledError, UnavailableError
        },
    }  # fmt: skip
    assert kinds[UserError] | kinds[PlatformError] == set(errors_below(OciError))
    for expected, kinds_of_oci in kinds.items():
        for kind in kinds_of_oci:
            more = {"retry_after_seconds": 1} if kind is ThrottledError else {}
            error = build_error(kind("Reason", "message", **more))
            assert type(error) is expected
            assert (error.reason, error.message.partition(";")[0]) == ("Reason", "message")


@pytest.mark.parametrize("reason", ["RegistryDenied", "InvalidSettings"])
def test_wrong_credentials_name_the_setting(reason):
    assert "DOCKER_CONFIG" in build_error(SetupError(reason, "no")).message
