"""Rules of a schema in the Common Expression Language (`x-kubernetes-validations`).

Google's own implementation evaluates them, as kube-apiserver's does in Go: expressions are
compiled once, regular expressions take linear time, and each evaluation takes microseconds.
"""

from __future__ import annotations

import logging
import re
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from knative_lambda.domain.quantities import parse_quantity
from lambda_embedded.schemas.causes import invalid

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from lambda_embedded.schemas.causes import Cause

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule: an expression about `self`, and the message if it is not true."""

    expression: Any
    message: str
    field: str
    reads: frozenset[str] | None
    """The fields of `self` that it reads; None for all."""

    def part(self, value: object) -> object:
        """Return the part that the rule reads: a rule about a name need not convert a source."""
        if self.reads is None or not isinstance(value, dict):
            return value
        return {name: value[name] for name in self.reads if name in value}

    def is_broken_by(self, value: object) -> bool:
        """Return whether a part breaks the rule; so does one on which the expression fails."""
        # What CEL cannot take, such as half of a surrogate pair, it reports in its own ways.
        with suppress(RuntimeError, ValueError):
            return self.expression.eval(data={"self": value}).value() is not True
        return True

    def cause(self, at: str) -> Cause:
        """Return the fault of the value at a path that breaks the rule."""
        return invalid(f"{at}{self.field}" or "<nil>", self.message)


def compile_rules(sources: Iterable[Mapping[str, Any]]) -> tuple[Rule, ...]:
    """Compile rules; none, with one log line, where CEL has no build for this Python."""
    sources = list(sources)
    environment = _environment() if sources else None
    if environment is None:
        return ()
    return tuple(
        Rule(
            expression=environment.compile(source["rule"]),
            message=source.get("message") or f"failed rule: {source['rule']}",
            field=source.get("fieldPath", ""),
            reads=_reads(source["rule"]),
        )
        for source in sources
    )


def _reads(rule: str) -> frozenset[str] | None:
    named = re.findall(r"\bself\.([a-zA-Z]\w*)(?!\w*\()", rule)
    return frozenset(named) if len(named) == len(re.findall(r"\bself\b", rule)) else None


@cache
def _environment() -> Any:  # noqa: ANN401  # a type of a compiled module
    try:
        from cel_expr_python import cel  # noqa: PLC0415  # 9 MB that only writes need
    except ImportError:
        _LOG.warning("rules in CEL are not checked: cel-expr-python has no build for this Python")
        return None
    text, truth, number = cel.Type.STRING, cel.Type.BOOL, cel.Type.INT
    pair = [text, text]

    def function(name: str, result: Any, impl: Any) -> Any:  # noqa: ANN401  # as above
        overload = cel.Overload(
            f"quantity_{name}", return_type=result, parameters=pair, is_member=True, impl=impl
        )
        return cel.FunctionDecl(name, [overload])

    # Kubernetes' own functions, as far as our rules use them. A quantity is a string here.
    quantity = cel.Overload(
        "string_to_quantity",
        return_type=text,
        parameters=[text],
        is_member=False,
        impl=lambda value: str(parse_quantity(value)) and value,
    )
    return cel.NewEnv(
        variables={"self": cel.Type.DYN},
        functions=[
            cel.FunctionDecl("quantity", [quantity]),
            function("isGreaterThan", truth, lambda a, b: parse_quantity(a) > parse_quantity(b)),
            function("isLessThan", truth, lambda a, b: parse_quantity(a) < parse_quantity(b)),
            function("compareTo", number, _compare),
        ],
    )


def _compare(one: str, other: str) -> int:
    left, right = parse_quantity(one), parse_quantity(other)
    return (left > right) - (left < right)
