"""examples/gitops is what docs/GITOPS.md says of it."""

from __future__ import annotations

import pytest
import yaml

from kn_lambda.tenants.manifests import LABEL
from knative_lambda.domain.lambda_function import LambdaFunctionSpec
from knative_lambda.domain.names import FunctionId
from lambda_embedded.configuration.kustomization import read_kustomization
from tests.helpers.dev_overlay import OBJECTS, REPOSITORY

FOLDER = REPOSITORY / "examples" / "gitops"
LAMBDAS = read_kustomization(FOLDER / "lambdas")
TEAM = "team-a"


def objects(name):
    return list(yaml.safe_load_all((FOLDER / name).read_text()))


def of_kind(name, kind):
    (found,) = [item for item in objects(name) if item["kind"] == kind]
    return found


@pytest.mark.parametrize("item", LAMBDAS, ids=lambda item: item["metadata"]["name"])
def test_a_lambda_of_the_folder_is_valid(item):
    assert (item["apiVersion"], item["kind"]) == (
        "knative-lambda.dev/v1alpha1", "LambdaFunction",
    )  # fmt: skip
    LambdaFunctionSpec.model_validate(item["spec"])
    FunctionId.parse(f"{TEAM}/{item['metadata']['name']}")


def test_every_lambda_of_the_folder_is_applied():
    files = {path.name for path in (FOLDER / "lambdas").iterdir()} - {"kustomization.yaml"}
    assert len(files) == len(LAMBDAS)


def test_argo_cd_lets_the_repository_bring_lambdas_into_one_namespace_and_nothing_else():
    project = of_kind("argocd.yaml", "AppProject")["spec"]
    assert [each["namespace"] for each in project["destinations"]] == [TEAM]
    assert project["clusterResourceWhitelist"] == []
    assert project["namespaceResourceWhitelist"] == [
        {"group": "knative-lambda.dev", "kind": "LambdaFunction"}
    ]
    application = of_kind("argocd.yaml", "Application")["spec"]
    assert application["project"] == of_kind("argocd.yaml", "AppProject")["metadata"]["name"]
    assert application["source"]["repoURL"] in project["sourceRepos"]
    assert application["destination"]["namespace"] == TEAM
    assert (FOLDER / application["source"]["path"]).is_dir()


def test_flux_applies_as_the_account_that_the_document_gives_rights():
    fields = of_kind("flux.yaml", "Kustomization")
    place = fields["metadata"]["namespace"]
    account = of_kind("flux.yaml", "ServiceAccount")["metadata"]
    assert fields["spec"]["serviceAccountName"] == account["name"]
    assert account["namespace"] == place
    user = f"--edit-user system:serviceaccount:{place}:{account['name']}"
    assert user in (REPOSITORY / "docs" / "GITOPS.md").read_text()
    assert user in " ".join((FOLDER / "flux.yaml").read_text().replace("# ", "").split())
    assert fields["spec"]["targetNamespace"] == TEAM
    assert (FOLDER / fields["spec"]["path"]).is_dir()


def test_the_repository_and_its_account_are_not_in_a_tenant():
    (namespace,) = [item for item in objects("flux.yaml") if item["kind"] == "Namespace"]
    assert LABEL not in namespace["metadata"].get("labels", {})
    tenants = [item for item in OBJECTS if item["kind"] == "Namespace"]
    assert namespace["metadata"]["name"] not in {item["metadata"]["name"] for item in tenants}
