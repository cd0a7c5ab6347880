"""The settings of the functions, and what is the command line's alone."""

from __future__ import annotations

from knative_lambda.settings import (
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
]


# Where people's sources are uploaded to; only the command line reads it.
OF_THE_COMMAND_LINE = {"KN_LAMBDA_UPLOAD_URL"}
