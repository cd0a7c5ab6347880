"""Services that were ready before the platform started, as all but a few of many lambdas are."""

from __future__ import annotations

import copy
import hashlib
from typing import TYPE_CHECKING

from lambda_embedded.data_folder import DataFolder
from lambda_embedded.serving.services.revisions import Revisions
from lambda_embedded.serving.services.status import ServiceState, service_status
from lambda_embedded.store.database import Database
from lambda_embedded.store.objects import Objects

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path
    from typing import Any

_NAMESPACE = "default"


def add_services(home: Path, model: str, records: Iterable[str]) -> None:
    """Give records a Service and a Revision like those of `model`; the platform must not run.

    Each has an image of its own, which is not there: nobody calls them.
    """
    database = Database(DataFolder(home).database)
    objects = Objects(database)
    service, revisions = objects.get("Service", _NAMESPACE, model), Revisions(objects)
    with database.transaction():
        for name in records:
            created = objects.create("Service", _like(service, name, _uid(objects, name)))
            revision = revisions.create(created)
            revisions.set_ready(revision)
            status = _status(created, revision["metadata"]["name"])
            objects.update_status("Service", _NAMESPACE, name, status)
    database.close()


def _uid(objects: Objects, name: str) -> str:
    uid: str = objects.get("LambdaFunction", _NAMESPACE, name)["metadata"]["uid"]
    return uid


def _status(service: dict[str, Any], revision: str) -> dict[str, Any]:
    base, _, _ = service["status"]["url"].rpartition("/")
    url = f"{base}/{service['metadata']['name']}"
    state = ServiceState(url=url, created=revision, ready=revision, failure=None)
    return service_status(service, state)


def _like(service: dict[str, Any], name: str, uid: str) -> dict[str, Any]:
    new = copy.deepcopy(service)
    metadata = new["metadata"]
    metadata["name"] = name
    metadata["ownerReferences"][0] |= {"name": name, "uid": uid}
    container = new["spec"]["template"]["spec"]["containers"][0]
    digest = hashlib.sha256(name.encode()).hexdigest()
    container["image"] = f"{container['image'].rpartition('@')[0]}@sha256:{digest}"
    return new
