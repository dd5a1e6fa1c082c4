"""A board in PostgreSQL whose schema somebody changed: named by fsck, one sentence for each difference."""

import psycopg
import pytest

from shopfloor.store import migrate
from shopfloor.store.postgres import open_postgres
from shopfloor.store.postgres_drift import listed

SCHEMA = "shopfloor_plant"


@pytest.fixture
def plant(postgres_url):
    """A new board on a server."""
    database = open_postgres(postgres_url, SCHEMA, create=True)
    yield database
    database.close()


@pytest.fixture
def change(postgres_url):
    """Change the schema as another program would."""

    def changed(*scripts):
        with psycopg.connect(postgres_url, autocommit=True) as connection:
            connection.execute(f"SET search_path TO {SCHEMA}")
            for script in scripts:
                connection.execute(script)

    return changed


def test_the_list_that_the_program_brings_along_is_what_its_steps_make(plant, tmp_path):
    found = plant.read(listed)
    (tmp_path / "postgres.txt").write_text(found)
    assert found == migrate.PARTS.read_text(), f"look at {tmp_path}/postgres.txt, and take it over"


def test_a_board_that_nobody_changed_is_as_it_was_made(plant):
    assert plant.read(migrate.differences) == []


@pytest.mark.parametrize(
    ("script", "sentence"),
    [
        ("DROP INDEX task_order", "the index task_order of task is missing"),
        ("ALTER TABLE comment ADD COLUMN mood text", "comment has a column mood that is not of this schema"),
        ("ALTER TABLE comment DROP COLUMN author CASCADE", "comment has no column author"),
        ("ALTER TABLE task ALTER COLUMN title DROP NOT NULL", "task.title is text, and text NOT NULL belongs there"),
        ("ALTER TABLE event ALTER COLUMN at TYPE integer", "event.at is integer NOT NULL, and bigint NOT NULL belongs there"),
        ("ALTER TABLE run DROP CONSTRAINT run_task_id_fkey", "the constraint run_task_id_fkey of run is missing"),
        ("ALTER TABLE task ADD CONSTRAINT short CHECK (title <> 'x')", "task has a constraint short that is not of this schema"),
        ("CREATE UNIQUE INDEX once ON task (title)", "task has an index once that is not of this schema"),
        ("DROP TRIGGER task_edge_guard ON task", "the trigger task_edge_guard of task is missing"),
        ("ALTER TABLE task DISABLE TRIGGER task_edge_guard", "the trigger task_edge_guard of task is not enabled"),
        ("DROP TABLE seen", "the table seen is missing"),
        ("DROP VIEW startable", "the view startable is missing"),
    ],
)  # fmt: skip
def test_what_is_missing_or_foreign_is_named(plant, change, script, sentence):
    change(script)
    assert plant.read(migrate.differences) == [sentence]


def test_what_others_keep_in_the_same_schema_is_none_of_our_business(plant, change):
    change("CREATE TABLE theirs (id integer PRIMARY KEY, title text UNIQUE)")
    change("CREATE VIEW seen_by_them AS SELECT title FROM task")
    assert plant.read(migrate.differences) == []
