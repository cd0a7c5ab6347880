"""Work of the same moment shares a transaction, and nothing else."""

from __future__ import annotations

import asyncio

import pytest

from lambda_embedded.broker.store.group_commit import GroupCommit
from lambda_embedded.store.database import Database


@pytest.fixture
def database(tmp_path):
    opened = Database(tmp_path / "state.sqlite")
    opened.create("CREATE TABLE numbers (value INTEGER PRIMARY KEY)")
    yield opened
    opened.close()


def insert(database, *values):
    def work():
        for value in values:
            database.execute("INSERT INTO numbers VALUES (?)", (value,))
        return sum(values)

    return work


def stored(database):
    return [row["value"] for row in database.execute("SELECT value FROM numbers ORDER BY 1")]


async def test_each_piece_returns_its_own_result(database):
    commit = GroupCommit(database)

    results = await asyncio.gather(*(commit.run(insert(database, n)) for n in range(5)))

    assert results == stored(database) == [0, 1, 2, 3, 4]


async def test_a_piece_that_fails_takes_no_other_with_it_and_leaves_nothing(database):
    commit = GroupCommit(database)

    results = await asyncio.gather(
        commit.run(insert(database, 1)),
        commit.run(insert(database, 2, 2)),
        commit.run(insert(database, 3)),
        return_exceptions=True,
    )

    assert results[0] == 1
    assert isinstance(results[1], Exception)
    assert results[2] == 3
    assert stored(database) == [1, 3]


async def test_work_is_done_when_its_caller_is_cancelled(database):
    commit = GroupCommit(database)
    task = asyncio.create_task(commit.run(insert(database, 1)))
    await asyncio.sleep(0)

    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await commit.run(insert(database, 2))

    assert stored(database) == [1, 2]
