"""The embedded API keeps what kube-apiserver promises."""

from __future__ import annotations

from tests.integration.embedded_api.helpers.conformance import *  # noqa: F403  # every promise is a test here
