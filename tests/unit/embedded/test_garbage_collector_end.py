from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest

from lambda_embedded.api.garbage_collector import GarbageCollector
from lambda_embedded.store.database import Database
from lambda_embedded.store.objects import Objects

FINISHED = {
    "metadata": {"name": "finished", "namespace": "default"},
    "spec": {"ttlSecondsAfterFinished": 3600},
    "status": {
        "conditions": [
            {
                "type": "Complete",
                "status": "True",
                "lastTransitionTime": datetime.now(UTC).isoformat(),
            }
        ]
    },
}


@pytest.mark.parametrize("turns", range(6))
async def test_it_ends_when_cancelled_though_a_change_comes_at_that_moment(tmp_path, turns: int):
    database = Database(tmp_path / "state.sqlite")
    objects = Objects(database)
    # Something that expires later: the collector waits for changes until then.
    objects.create("Job", FINISHED)
    collecting = asyncio.create_task(GarbageCollector(objects).run())
    for _ in range(50):
        await asyncio.sleep(0)

    objects.create("ConfigMap", {"metadata": {"name": "late", "namespace": "default"}})
    for _ in range(turns):
        await asyncio.sleep(0)
    collecting.cancel()

    done, _ = await asyncio.wait({collecting}, timeout=1)
    collecting.cancel()
    database.close()
    assert done
