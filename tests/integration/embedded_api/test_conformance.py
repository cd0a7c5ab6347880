"""The embedded API conforms to kube-apiserver."""

from __future__ import annotations

from tests.integration.embedded_api.helpers.conformance import *  # noqa: F403  # each is a test here
