"""Paths, queries and bodies against their models; the first thing that is wrong is named."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from pydantic import ValidationError

from knative_lambda.domain.errors import InvalidRequestError
from knative_lambda.domain.lambda_function import Model
from knative_lambda.domain.problems import place_of, words_of
from knative_lambda.inbound.portable_json import loads

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.datastructures import QueryParams

M = TypeVar("M", bound=Model)


def read_path(model: type[M], parts: Mapping[str, str]) -> M:
    """Return the parts of a path, which may become parts of others."""
    return _validated(model, dict(parts))


def read_query(model: type[M], query: QueryParams) -> M:
    """Return the parameters of a query; each may be there once."""
    names = [name for name, _ in query.multi_items()]
    for name in names:
        if names.count(name) > 1:
            raise InvalidRequestError(f"{name[:100]!r} is in the query twice", field=name[:100])
    return _validated(model, dict(query))


def read_json(model: type[M], body: bytes) -> M:
    """Return what a body of JSON says."""
    try:
        content = loads(body)
    except ValueError as error:
        raise InvalidRequestError("the body is not JSON") from error
    return _validated(model, content)


def _validated(model: type[M], content: object) -> M:
    try:
        # By alias alone: one name for each thing.
        return model.model_validate(content, by_alias=True, by_name=False)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        field = place_of(first)[:100]
        raise InvalidRequestError(
            f"{field}: {words_of(first)}" if field else words_of(first), field=field or None
        ) from error
