"""Validates a spec by the rules of the platform before it is sent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kn_lambda.errors import WrongUsageError
from knative_lambda.domain.problems import place_of, words_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic_core import ErrorDetails

_SHOWN = 10
# An example is clearer than a pattern.
_EXAMPLES = {
    "handler": "must be module.function in the source, such as main.handler or src/main.handler",
    "runtime": "must be a language and its version in one word",
    "image": "must include a digest, such as registry/name@sha256:...",
}


def validate_spec(spec: Mapping[str, Any]) -> dict[str, object]:
    """Return the spec in the form that is sent; `WrongUsageError` names each wrong field."""
    from pydantic import ValidationError  # noqa: PLC0415 # a quick start of --help

    from knative_lambda.domain.lambda_function import LambdaFunctionSpec  # noqa: PLC0415

    try:
        return LambdaFunctionSpec.model_validate(dict(spec)).to_json()
    except ValidationError as error:
        problems = error.errors(include_url=False, include_input=False, include_context=False)
    lines = [
        f"{'.'.join(filter(None, ('spec', place_of(problem))))}: {_in_words(problem)}"
        for problem in problems[:_SHOWN]
    ]
    raise WrongUsageError(
        "\n  ".join(["the function is invalid; nothing was sent", *lines]),
        hint="Correct these fields in function.yaml, or the options that set them.",
    )


def _in_words(problem: ErrorDetails) -> str:
    if problem["type"] == "string_pattern_mismatch" and problem["loc"][-1] in _EXAMPLES:
        return _EXAMPLES[str(problem["loc"][-1])]
    return words_of(problem)
