"""People who write JSON or YAML are told what is wrong in words that they know."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from knative_lambda.domain.events import OWN_EVENTS
from knative_lambda.domain.lambda_function import LambdaFunctionSpec
from knative_lambda.domain.problems import place_of, words_of

SOURCE = {"inline": {"main.py": ""}}


def problems(**changes: object) -> dict[str, str]:
    spec = {"source": SOURCE, "runtime": "python3.11", **changes}
    with pytest.raises(ValidationError) as raised:
        LambdaFunctionSpec.model_validate(spec)
    return {place_of(each): words_of(each) for each in raised.value.errors()}


@pytest.mark.parametrize(
    ("changes", "place", "words"),
    [
        ({"source": "s3://b/k"}, "source", "must be an object"),
        ({"source": {"inline": []}}, "source.inline", "must be an object"),
        ({"source": {"inline": {"a": 1}}}, "source.inline.a", "must be a string"),
        ({"source": {"uri": ""}}, "source.uri", "must have at least 1 character"),
        ({"runtime": None}, "runtime", "must be a string"),
        ({"runtime": "PYTHON"}, "runtime", "must match pattern '^[a-z]+[0-9][0-9.]*$'"),
        ({"env": {}}, "env", "must be a list"),
        ({"env": [{"name": "A"}] * 201}, "env", "must have at most 200 items, not 201"),
        ({"env": [{"value": "1"}]}, "env.0.name", "is missing"),
        ({"scale": [1]}, "scale", "must be an object"),
        ({"scale": {"min": 2000}}, "scale.min", "must be less than or equal to 1000"),
        ({"scale": {"min": 3, "max": 2}}, "scale", "min must not be above max"),
        ({"timeoutSeconds": "9"}, "timeoutSeconds", "must be a whole number"),
        ({"subscriptions": [3]}, "subscriptions.0", "must be an object"),
        ({"signature": "grpc"}, "signature", "must be 'cloudevent' or 'http'"),
        ({"replicas": 1}, "replicas", "no such field"),
    ],
)
def test_a_problem_is_told_in_words_of_json(changes, place, words):
    assert problems(**changes)[place] == words


def test_a_wrong_flag_is_told_in_words_of_json():
    with pytest.raises(ValidationError) as raised:
        OWN_EVENTS["dev.knative-lambda.cleanup.v1"].model_validate({"dryRun": "yes"})
    assert [words_of(each) for each in raised.value.errors()] == ["must be true or false"]
