"""The settings of the functions."""

from __future__ import annotations

from knative_lambda.settings import (
    ApiSettings,
    BuildCompleteSettings,
    BuildStartSettings,
    CleanupSettings,
    DeadLetterSettings,
    DeleteSettings,
)

SETTINGS = [
    BuildStartSettings,
    BuildCompleteSettings,
    DeleteSettings,
    CleanupSettings,
    DeadLetterSettings,
    ApiSettings,
]
