"""A function as its folder and the options of the command line describe it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from kn_lambda.deploying.deploy_request import make_deploy_request
from kn_lambda.deploying.manifest import FILE_NAME
from kn_lambda.deploying.validation import validate_spec
from kn_lambda.errors import CommandError, WrongUsageError
from knative_lambda.domain.deployment import Deployment
from knative_lambda.domain.lambda_function import LambdaFunctionSpec
from knative_lambda.manifests.service import lambda_service
from lambda_embedded.processes.environment import expand

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from kn_lambda.deploying.deploy_request import DeployRequest, Overrides
    from knative_lambda.domain.names import FunctionId

# Validation needs one, and the folder is none that a platform knows.
_ANY_SOURCE = {"inline": {"-": ""}}


@dataclass(frozen=True, kw_only=True, slots=True)
class LocalFunction:
    """What is run; `variables` are those that the function would have on a platform."""

    function: FunctionId
    spec: LambdaFunctionSpec
    variables: dict[str, str]


def read_request(path: Path, overrides: Overrides, variables: Mapping[str, str]) -> DeployRequest:
    """Return the function of a folder or file; `WrongUsageError` if its source is elsewhere."""
    request = make_deploy_request(path, None, overrides)
    if request.files is None:
        raise WrongUsageError(
            f"{FILE_NAME} names a source in storage or an image, but run needs the code itself",
            hint="Remove spec.source from it, or deploy it to a platform.",
        )
    return replace(request, spec=_with_variables(request.spec, variables))


def _with_variables(spec: dict[str, Any], given: Mapping[str, str]) -> dict[str, Any]:
    written = spec.get("env") or []
    if not given or not isinstance(written, list):
        return spec
    kept = [each for each in written if not (isinstance(each, dict) and each.get("name") in given)]
    return {**spec, "env": [*kept, *({"name": name, "value": given[name]} for name in given)]}


def local_function(request: DeployRequest, function: FunctionId, runtime: str) -> LocalFunction:
    """Return the function as a platform would serve it; `WrongUsageError` names a wrong field."""
    document = validate_spec({**request.spec, "runtime": runtime, "source": _ANY_SOURCE})
    spec = LambdaFunctionSpec.model_validate(document)
    return LocalFunction(function=function, spec=spec, variables=_variables(function, spec))


def _variables(function: FunctionId, spec: LambdaFunctionSpec) -> dict[str, str]:
    deployment = Deployment(function=function, uid="", generation=1, spec=spec, image="")
    (container,) = lambda_service(deployment)["spec"]["template"]["spec"]["containers"]
    resolved: dict[str, str] = {}
    missing: dict[str, str] = {}
    for variable in container["env"]:
        name, references = variable["name"], variable.get("valueFrom")
        if references is None:
            resolved[name] = expand(variable["value"], resolved)
        elif not any(reference.get("optional") for reference in references.values()):
            missing[name] = _where(references)
    if missing:
        raise CommandError(
            "without a platform there is no value for "
            + ", ".join(f"{name} ({where})" for name, where in missing.items()),
            hint="Give one: " + " ".join(f"-e {name}=VALUE" for name in missing)
            + ", or a file with --env-file.",
        )  # fmt: skip
    return resolved


def _where(references: dict[str, dict[str, str]]) -> str:
    kinds = {"secretKeyRef": "Secret", "configMapKeyRef": "ConfigMap"}
    return ", ".join(f"{kinds[kind]} {each['name']}" for kind, each in references.items())
