"""functions/*/func.yaml as func 1.23 reads it (specVersion 0.36.0).

The models say what func's own schema/func_yaml-schema.json (knative/func, Apache-2.0) and its
validation of envs demand of the keys that we use.
"""

from __future__ import annotations

from datetime import datetime  # pydantic reads it
from pathlib import Path
from typing import Annotated, Literal

import pytest
import yaml
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator
from pydantic.alias_generators import to_camel

FILES = sorted((Path(__file__).parents[2] / "functions").glob("*/func.yaml"))
# container-concurrency-target-percentage of its config-autoscaler.
KNATIVES_UTILIZATION = "70"

Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$")]
Quantity = Annotated[
    str, StringConstraints(pattern=r"^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$")
]
PREFIX = r"([a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*/)?"
WORD = r"([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"
# A whole ConfigMap or Secret, without a name; one key of it, with a name.
WHOLE = r"^\{\{ *(configMap|secret) *: *[-._a-z0-9]+ *\}\}$"


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, alias_generator=to_camel)


class Env(Strict):
    name: Annotated[str, StringConstraints(pattern=r"^[-._a-zA-Z][-._a-zA-Z0-9]*$")] | None = None
    value: str

    @model_validator(mode="after")
    def _without_a_name_it_is_a_whole_config_map(self):
        if self.name is None:
            Whole.model_validate({"value": self.value})
        return self


class Whole(BaseModel):
    value: Annotated[str, StringConstraints(pattern=WHOLE)]


class EmptyDir(Strict):
    medium: Literal["", "Memory"] = ""
    size_limit: str | None = None


class Volume(Strict):
    secret: str | None = None
    config_map: str | None = None
    empty_dir: EmptyDir | None = None
    path: Annotated[str, StringConstraints(pattern="^/")]

    @model_validator(mode="after")
    def _is_of_one_kind(self):
        kinds = (self.secret, self.config_map, self.empty_dir)
        assert sum(kind is not None for kind in kinds) == 1
        return self


class Run(Strict):
    envs: list[Env] = []
    volumes: list[Volume] = []


class Label(Strict):
    key: Annotated[str, StringConstraints(pattern=f"^{PREFIX}{WORD}$")]
    value: Annotated[str, StringConstraints(pattern=f"^({WORD})?$")] | None = None


class HealthEndpoints(Strict):
    liveness: str
    readiness: str


class Scale(Strict):
    min: Annotated[int, Field(ge=0)] | None = None
    max: Annotated[int, Field(ge=0)] | None = None
    metric: Literal["concurrency", "rps"] | None = None
    target: Annotated[float, Field(ge=0.01)] | None = None
    utilization: Annotated[float, Field(ge=1, le=100)] | None = None


class Requests(Strict):
    cpu: Quantity | None = None
    memory: Quantity | None = None


class Limits(Requests):
    concurrency: Annotated[int, Field(ge=0)] | None = None


class Resources(Strict):
    requests: Requests | None = None
    limits: Limits | None = None


class Options(Strict):
    scale: Scale | None = None
    resources: Resources | None = None


class Deploy(Strict):
    namespace: str | None = None
    image: str | None = None
    annotations: dict[str, str] = {}
    labels: list[Label] = []
    health_endpoints: HealthEndpoints | None = None
    service_account_name: str | None = None
    options: Options | None = None


class Function(Strict):
    spec_version: Literal["0.36.0"]
    created: datetime
    name: Name | None = None
    runtime: str | None = None
    registry: str | None = None
    image: str | None = None
    namespace: str | None = None
    invoke: Literal["http", "cloudevent"] | None = None
    run: Run | None = None
    deploy: Deploy | None = None


def read(file):
    return Function.model_validate(yaml.safe_load(file.read_text()))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.parent.name)
def test_func_can_deploy_the_function(file):
    function = read(file)
    assert function.name == file.parent.name
    assert function.runtime == "python"
    assert function.namespace == function.deploy.namespace == "knative-lambda"


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.parent.name)
def test_func_deploys_what_config_describes(file):
    deploy = read(file).deploy
    config = (
        Path(__file__).parents[2] / "config" / "base" / "functions" / f"{file.parent.name}.yaml"
    )
    service = next(yaml.safe_load_all(config.read_text()))
    template = service["spec"]["template"]
    pod, (container,) = template["spec"], template["spec"]["containers"]
    assert deploy.service_account_name == pod["serviceAccountName"]
    assert deploy.options.resources.limits.concurrency == pod["containerConcurrency"]
    assert deploy.health_endpoints.readiness == container["readinessProbe"]["httpGet"]["path"]
    assert deploy.health_endpoints.liveness == container["livenessProbe"]["httpGet"]["path"]
    assert {label.key: label.value for label in deploy.labels} == template["metadata"]["labels"]
    scale, annotations = deploy.options.scale, template["metadata"]["annotations"]
    assert str(scale.max) == annotations["autoscaling.knative.dev/max-scale"]
    assert str(scale.min) == annotations["autoscaling.knative.dev/min-scale"]
    assert f"{scale.target:g}" == annotations["autoscaling.knative.dev/target"]
    utilization = "autoscaling.knative.dev/target-utilization-percentage"
    assert f"{scale.utilization:g}" == annotations.get(utilization, KNATIVES_UTILIZATION)
    assert deploy.options.resources.limits.memory == container["resources"]["limits"]["memory"]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.parent.name)
def test_func_tells_the_function_its_settings_and_threads(file):
    whole = [env.value for env in read(file).run.envs if env.name is None]
    envs = {env.name: env.value for env in read(file).run.envs}
    own = {"build-start": ["{{ secret:knative-lambda-package-index }}"]}
    assert whole == [
        "{{ configMap:knative-lambda-settings }}",
        "{{ secret:knative-lambda-storage }}",
        *own.get(file.parent.name, ()),
    ]
    concurrency = read(file).deploy.options.resources.limits.concurrency
    # An ASGI server has no such threads.
    threads = {} if file.parent.name == "api" else {"THREADS": str(concurrency)}
    assert {k: v for k, v in envs.items() if k == "THREADS"} == threads
