from __future__ import annotations

import asyncio

import pytest

from lambda_embedded.store.database import Database
from lambda_embedded.store.objects import (
    AlreadyExistsError,
    ConflictError,
    ExpiredError,
    NotFoundError,
    Objects,
)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "state.sqlite"


@pytest.fixture
def database(path):
    database = Database(path)
    yield database
    database.close()


@pytest.fixture
def objects(database):
    return Objects(database)


def job(name="one", **metadata):
    return {"metadata": {"name": name, "namespace": "default", **metadata}, "spec": {"a": 1}}


def waiting(queue):
    changes = [queue.get_nowait() for _ in range(queue.qsize())]
    return [(change.type, change.object["metadata"]["name"]) for change in changes]


def test_a_new_object_has_what_kubernetes_adds(objects):
    metadata = objects.create("Job", job())["metadata"]
    assert metadata["generation"] == 1
    assert metadata["resourceVersion"] == objects.resource_version
    assert metadata["uid"]
    assert metadata["creationTimestamp"].endswith("Z")


def test_a_name_is_taken_once_per_kind_and_namespace(objects):
    objects.create("Job", job())
    objects.create("Pod", job())
    objects.create("Job", job(namespace="other"))
    with pytest.raises(AlreadyExistsError):
        objects.create("Job", job())


def test_what_is_returned_is_the_callers_own(objects):
    objects.create("Job", job())["spec"]["a"] = 2
    objects.get("Job", "default", "one")["spec"]["a"] = 3
    assert objects.get("Job", "default", "one")["spec"] == {"a": 1}


def test_an_update_that_holds_an_old_version_conflicts(objects):
    first = objects.create("Job", job())
    objects.update("Job", {**first, "spec": {"a": 2}})
    with pytest.raises(ConflictError):
        objects.update("Job", {**first, "spec": {"a": 3}})


def test_the_generation_counts_changes_of_the_wish_only(objects):
    first = objects.create("Job", job())
    labelled = objects.update("Job", job(labels={"a": "b"}))
    assert labelled["metadata"]["generation"] == 1
    assert labelled["metadata"]["uid"] == first["metadata"]["uid"]
    assert objects.update_status("Job", "default", "one", {"a": 1})["metadata"]["generation"] == 1
    assert objects.update("Job", {**job(), "spec": {}})["metadata"]["generation"] == 2


def test_an_update_that_changes_nothing_is_seen_by_no_watch(objects):
    first = objects.create("Job", job())
    queue = objects.watch()
    assert objects.update("Job", job()) == first
    assert waiting(queue) == []


def test_true_and_one_are_not_the_same(objects):
    first = objects.create("Job", {**job(), "spec": {"a": 1}})
    second = objects.update("Job", {**first, "spec": {"a": True}})
    assert second["spec"]["a"] is True
    assert second["metadata"]["generation"] == 2


def test_a_deleted_object_is_gone_and_its_last_state_returned(objects):
    objects.create("Job", job())
    assert objects.delete("Job", "default", "one")["spec"] == {"a": 1}
    assert objects.find("Job", "default", "one") is None
    with pytest.raises(NotFoundError):
        objects.delete("Job", "default", "one")


def test_a_watch_sees_every_change_with_what_was_before(objects):
    queue = objects.watch()
    objects.create("Job", job())
    objects.update("Job", {**job(), "spec": {"a": 2}})
    objects.delete("Job", "default", "one")
    changes = [queue.get_nowait() for _ in range(3)]
    assert [change.type for change in changes] == ["ADDED", "MODIFIED", "DELETED"]
    assert changes[0].previous is None
    assert changes[1].previous["spec"] == {"a": 1}
    versions = [int(change.object["metadata"]["resourceVersion"]) for change in changes]
    assert versions == sorted(set(versions))


def test_a_watch_can_begin_in_the_past(objects):
    version = objects.create("Job", job())["metadata"]["resourceVersion"]
    objects.create("Job", job("two"))
    queue = objects.watch(since=version)
    objects.create("Job", job("three"))
    assert waiting(queue) == [("ADDED", "two"), ("ADDED", "three")]


def test_a_watch_that_begins_too_far_in_the_past_is_refused(database):
    objects = Objects(database, changes_kept=2)
    version = objects.create("Job", job())["metadata"]["resourceVersion"]
    objects.create("Job", job("two"))
    objects.create("Job", job("three"))
    assert len(waiting(objects.watch(since=version))) == 2
    objects.create("Job", job("four"))
    with pytest.raises(ExpiredError):
        objects.watch(since=version)


def test_a_watch_from_a_version_of_another_folder_is_refused(objects):
    with pytest.raises(ExpiredError):
        objects.watch(since="1000")


def test_nobody_hears_of_what_was_undone(objects, database):
    queue, version = objects.watch(), objects.resource_version

    def fail_halfway():
        with database.transaction():
            objects.create("Job", job())
            raise OSError

    with pytest.raises(OSError):  # noqa: PT011  # raised right above
        fail_halfway()
    with objects.dry_run():
        objects.create("Job", job("two"))
    assert waiting(queue) == []
    assert objects.list("Job") == []
    assert objects.watch(since=version).empty()
    assert objects.watch(since=objects.resource_version).empty()


def test_changes_of_a_transaction_are_told_when_it_is_durable(objects, database):
    queue = objects.watch()
    with database.transaction():
        objects.create("Job", job())
        assert queue.empty()
    assert waiting(queue) == [("ADDED", "one")]


def test_objects_and_versions_survive_a_restart(objects, database, path):
    stored = objects.create("Job", job())
    database.close()
    later = Database(path)
    again = Objects(later)
    assert again.get("Job", "default", "one") == stored
    assert again.watch(since=stored["metadata"]["resourceVersion"]).empty()
    newer = again.create("Job", job("two"))
    assert int(newer["metadata"]["resourceVersion"]) > int(stored["metadata"]["resourceVersion"])
    later.close()


def test_a_list_is_by_namespace_labels_and_in_order(objects):
    objects.create("Job", job("b", labels={"app": "x"}))
    objects.create("Job", job("a", labels={"app": "x"}))
    objects.create("Job", job("c"))
    objects.create("Job", job("a", namespace="another", labels={"app": "x"}))

    def names(*arguments, **options):
        return [item["metadata"]["name"] for item in objects.list(*arguments, **options)]

    assert names("Job") == ["a", "a", "b", "c"]
    assert names("Job", "default", labels={"app": "x"}) == ["a", "b"]
    assert objects.kinds() == {"Job"}


def test_pages_follow_each_other(objects):
    for name in ("a", "b", "c"):
        objects.create("Job", job(name))
    first = objects.page("Job", "default", limit=2)
    rest = objects.page("Job", "default", after=("default", "b"))
    assert [item["metadata"]["name"] for item in [*first, *rest]] == ["a", "b", "c"]
    assert [i["metadata"]["name"] for i in objects.page("Job", name="b")] == ["b"]


async def test_a_walk_reads_what_there_is_when_it_comes_there(objects):
    for number in range(120):
        objects.create("Job", job(f"{number:03}", namespace="xy"[number % 2]))
    found = []
    async for item in objects.walk("Job"):
        if not found:
            # Far behind the walk, and so not read before it is changed.
            asyncio.get_running_loop().call_soon(objects.delete, "Job", "y", "119")
            asyncio.get_running_loop().call_soon(objects.create, "Job", job("later", namespace="z"))
        found.append((item["metadata"]["namespace"], item["metadata"]["name"]))
    assert found == sorted(found)
    assert len(found) == 120
    assert found[-1] == ("z", "later")


def test_pages_of_carriers_of_labels_follow_each_other(objects):
    for namespace in ("x", "y"):
        for name in ("a", "b", "c"):
            labels = {"app": "x", "odd": str(name != "b")}
            objects.create("Job", job(name, namespace=namespace, labels=labels))

    def pages(namespace, **labels):
        after, found = ("", ""), []
        while items := objects.page("Job", namespace, labels=labels, after=after, limit=1):
            after = (items[0]["metadata"]["namespace"], items[0]["metadata"]["name"])
            found.append("/".join(after))
        return found

    assert pages(None, app="x", odd="True") == ["x/a", "x/c", "y/a", "y/c"]
    assert pages("y", odd="False", app="x") == ["y/b"]
    assert pages("y", app="other") == []


def test_an_object_is_found_by_the_labels_it_has_now(objects):
    objects.create("Job", job(labels={"app": "x"}))
    objects.update("Job", job(labels={"app": "y"}))
    assert objects.list("Job", labels={"app": "x"}) == []
    assert len(objects.list("Job", labels={"app": "y"})) == 1
    objects.delete("Job", "default", "one")
    assert objects.list("Job", labels={"app": "y"}) == []


def test_labels_of_an_older_file_are_found(objects, database):
    objects.create("Job", job(labels={"app": "x"}))
    database.execute("DROP TABLE object_labels")
    assert len(Objects(database).list("Job", labels={"app": "x"})) == 1


def test_what_json_cannot_say_is_not_stored(objects):
    with pytest.raises(ValueError, match="not JSON compliant"):
        objects.create("Job", job(annotations={"a": float("inf")}))
    assert objects.list("Job") == []


def test_infinity_that_was_stored_once_is_read_as_nothing(objects, database):
    objects.create("ConfigMap", {"metadata": {"name": "one"}, "data": {"a": "huge"}})
    database.execute("UPDATE objects SET body = replace(body, '\"huge\"', 'Infinity')")
    (found,) = objects.list("ConfigMap")
    assert found["data"] == {"a": None}


def test_a_namespace_is_active_whoever_made_it(objects):
    made = objects.create("Namespace", {"metadata": {"name": "one"}})
    assert made["status"] == {"phase": "Active"}
    assert made["metadata"]["labels"] == {"kubernetes.io/metadata.name": "one"}
    assert objects.update("Namespace", {"metadata": {"name": "one"}}) == made


def test_a_namespace_from_before_becomes_active_with_its_next_change(objects, database):
    objects.create("Namespace", {"metadata": {"name": "one"}})
    database.execute("UPDATE objects SET body = json_remove(body, '$.status')")
    assert "status" not in objects.get("Namespace", "", "one")
    changed = objects.update("Namespace", {"metadata": {"name": "one"}})
    assert changed["status"] == {"phase": "Active"}


def test_a_namespace_that_ends_stays_so(objects):
    objects.create("Namespace", {"metadata": {"name": "one"}, "status": {"phase": "Terminating"}})
    assert objects.update_status("Namespace", "", "one", {"phase": "Terminating"})["status"] == {
        "phase": "Terminating"
    }


@pytest.mark.parametrize("template", [5, {"metadata": 5}, {"metadata": {"labels": [1]}}, None])
def test_a_job_with_a_template_of_another_shape_is_stored(objects, template):
    item = {"metadata": {"name": "one", "namespace": "default"}, "spec": {"template": template}}
    assert objects.create("Job", item)["metadata"]["uid"]
