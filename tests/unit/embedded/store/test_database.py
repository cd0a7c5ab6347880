import os
import sqlite3
import stat

import pytest

from lambda_embedded.store.database import Database

TABLES = """
CREATE TABLE parent (id INTEGER PRIMARY KEY);
CREATE TABLE child (id INTEGER REFERENCES parent DEFERRABLE INITIALLY DEFERRED);
"""


@pytest.fixture
def database(tmp_path):
    database = Database(tmp_path / "state.sqlite")
    database.execute("PRAGMA foreign_keys = ON")
    database.create(TABLES)
    yield database
    database.close()


def test_a_transaction_whose_commit_fails_leaves_nothing_and_stops_no_later_one(database):
    called = []
    with pytest.raises(sqlite3.IntegrityError), database.transaction():
        database.execute("INSERT INTO child VALUES (7)")
        database.after_commit(lambda: called.append("child"))
    with database.transaction():
        database.execute("INSERT INTO parent VALUES (1)")
    assert [row["id"] for row in database.execute("SELECT id FROM parent")] == [1]
    assert not list(database.execute("SELECT * FROM child"))
    assert not called


def test_an_inner_transaction_that_fails_takes_the_outer_one_with_it(database):
    with pytest.raises(ValueError, match="inner"), database.transaction():
        database.execute("INSERT INTO parent VALUES (1)")
        with database.transaction():
            raise ValueError("inner")
    assert not list(database.execute("SELECT * FROM parent"))


@pytest.mark.parametrize("mode", [None, 0o644])
def test_its_files_are_their_owners_alone_also_those_of_an_earlier_version(tmp_path, mode):
    path = tmp_path / "state.sqlite"
    if mode:
        earlier = Database(path)
        earlier.create("CREATE TABLE earlier (id)")
        for file in tmp_path.iterdir():
            file.chmod(mode)
    before = os.umask(0)
    try:
        database = Database(path)
        database.create(TABLES)
        modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in tmp_path.iterdir()}
    finally:
        os.umask(before)
    assert modes == dict.fromkeys(("state.sqlite", "state.sqlite-wal", "state.sqlite-shm"), 0o600)
    database.close()
    if mode:
        earlier.close()
