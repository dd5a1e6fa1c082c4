"""The loader of statements: what it writes out for each database, and what it refuses."""

import pytest

from shopfloor.store.statements import BadStatement, Statements, ddl


def loaded(tmp_path, text, dialect="sqlite"):
    (tmp_path / "some.sql").write_text(text)
    statements = Statements(dialect, tmp_path)
    statements.check()
    return statements


def refused(tmp_path, text):
    with pytest.raises(BadStatement) as refusal:
        loaded(tmp_path, text)
    return str(refusal.value)


@pytest.mark.parametrize("dialect", ["sqlite", "postgres"])
def test_every_statement_of_the_board_is_accepted(dialect):
    statements = Statements(dialect)
    statements.check()
    assert len(statements) == len(statements.names()) > 50


def test_a_parameter_is_written_as_each_driver_wants_it(tmp_path):
    text = "-- name: a\nSELECT :x, :y_2 WHERE z = :x\n"
    assert loaded(tmp_path, text)["a"].sql == "SELECT :x, :y_2 WHERE z = :x"
    there = loaded(tmp_path, text, "postgres")["a"]
    assert there.sql == "SELECT %(x)s, %(y_2)s WHERE z = %(x)s"
    assert there.params == {"x", "y_2"}


def test_a_percent_sign_survives_the_driver_of_postgresql(tmp_path):
    text = "-- name: a\nSELECT a % 2 FROM b WHERE c LIKE '%' || :d\n"
    assert loaded(tmp_path, text)["a"].sql == "SELECT a % 2 FROM b WHERE c LIKE '%' || :d"
    there = loaded(tmp_path, text, "postgres")["a"].sql
    assert there == "SELECT a %% 2 FROM b WHERE c LIKE '%%' || %(d)s"


def test_the_comments_under_the_name_are_the_documentation(tmp_path):
    text = "-- a file's own words\n-- name: a\n-- Why it is.\n-- And how.\nSELECT 1 -- inside\n  /* too */;\n"
    statement = loaded(tmp_path, text)["a"]
    assert statement.doc == "Why it is. And how."
    assert statement.sql == "SELECT 1"
    assert statement.source == "some.sql"


def test_locks_are_nothing_on_sqlite(tmp_path):
    text = "-- name: a\nSELECT 1 FROM b @lock\n-- name: c\nSELECT 1 FROM b LIMIT 1 @lock_skip\n"
    here, there = loaded(tmp_path, text), loaded(tmp_path, text, "postgres")
    assert (here["a"].sql, here["c"].sql) == ("SELECT 1 FROM b", "SELECT 1 FROM b LIMIT 1")
    assert there["a"].sql == "SELECT 1 FROM b FOR NO KEY UPDATE"
    assert there["c"].sql == "SELECT 1 FROM b LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED"


def test_a_list_is_one_parameter(tmp_path):
    text = (
        "-- name: a\nSELECT 1 FROM b WHERE c IN @each(names) AND d IN @each_int(ids) AND e = :f\n"
    )
    here = loaded(tmp_path, text)["a"]
    assert "c IN (SELECT value FROM json_each(:names))" in here.sql
    assert here.params == {"names", "ids", "f"}
    assert here.lists == {"names", "ids"}
    assert (
        "jsonb_array_elements_text(CAST(%(ids)s AS jsonb))"
        in loaded(tmp_path, text, "postgres")["a"].sql
    )


def test_twins_are_two_texts_with_one_name(tmp_path):
    text = "-- name: a @sqlite\nSELECT 1, :x\n-- name: a @postgres\nSELECT 2, :x\n-- name: b\nSELECT 3\n"
    here, there = loaded(tmp_path, text), loaded(tmp_path, text, "postgres")
    assert here["a"].sql == "SELECT 1, :x"
    assert there["a"].sql == "SELECT 2, %(x)s"
    assert here.twins() == ["a"]


def test_a_statement_is_read_only_when_it_is_asked_for(tmp_path):
    (tmp_path / "some.sql").write_text("-- name: good\nSELECT 1\n-- name: bad\nSELECT now()\n")
    statements = Statements("sqlite", tmp_path)
    assert statements["good"].sql == "SELECT 1"
    with pytest.raises(BadStatement):
        statements["bad"]


@pytest.mark.parametrize(
    ("text", "because"),
    [
        ("-- name: a\nSELECT interval ':n seconds'\n", "inside quotes"),
        ('-- name: a\nSELECT 1 AS ":n"\n', "inside quotes"),
        ("-- name: a\nSELECT a::text FROM b\n", "CAST(x AS type)"),
        ("-- name: a\nSELECT now()\n", "asks the database for the time"),
        ("-- name: a\nSELECT NOW ( )\n", "asks the database for the time"),
        ("-- name: a\nSELECT CURRENT_TIMESTAMP\n", "asks the database for the time"),
        ("-- name: a\nSELECT clock_timestamp()\n", "asks the database for the time"),
        ("-- name: a\nSELECT unixepoch('now')\n", "asks the database for the time"),
        ("-- name: a\nSELECT strftime('%s', 'now')\n", "asks the database for the time"),
        ("-- name: a\nSELECT 1 FROM b @locked\n", "uses @locked"),
        ("-- name: a\nSELECT 1 FROM b WHERE c IN @some(d)\n", "uses @some"),
        ("-- name: a\nSELECT 1 FROM b WHERE c IN @each\n", "uses @each"),
        ("-- name: a\nCREATE TABLE b (id @serial)\n", "uses @serial"),
        ("-- name: a\nSELECT 1\n-- name: a\nSELECT 2\n", "is there twice"),
        ("-- name: a\nSELECT 1\n-- name: a @sqlite\nSELECT 2\n", "is there twice"),
        ("-- name: a @sqlite\nSELECT 1\n-- name: a @sqlite\nSELECT 2\n", "is there twice"),
        ("-- name: a @sqlite\nSELECT 1\n", "no twin"),
        ("-- name: a @mysql\nSELECT 1\n", "say @sqlite or @postgres"),
        ("-- name: a @sqlite\nSELECT :x\n-- name: a @postgres\nSELECT :y\n", "differ in x, y"),
        ("-- name: a\nWITH b AS (DELETE FROM c RETURNING *) SELECT * FROM b\n", "inside WITH"),
        ("-- name: a\nWITH b AS MATERIALIZED (\n update c SET d = 1) SELECT 1\n", "inside WITH"),
        ("-- name: a\n-- Only words.\n", "is empty"),
        ("SELECT 1\n-- name: a\nSELECT 1\n", "no name"),
    ],
)
def test_what_the_two_databases_would_not_both_do_is_refused(tmp_path, text, because):
    assert because in refused(tmp_path, text)


def test_a_name_may_not_be_in_two_files(tmp_path):
    (tmp_path / "other.sql").write_text("-- name: a\nSELECT 1\n")
    assert "other.sql, some.sql" in refused(tmp_path, "-- name: a\nSELECT 1\n")


def test_what_only_looks_like_a_refusal_is_accepted(tmp_path):
    text = (
        "-- name: a\n"
        "-- Words about now(), x::y and @macros are words.\n"
        "SELECT 'a @lock and now()', known(), \"now\" -- and :this :: is @a comment\n"
        "  FROM b WHERE c = ':' AND d = :now\n"
    )
    assert loaded(tmp_path, text)["a"].params == {"now"}


def test_an_unknown_statement_is_named():
    with pytest.raises(BadStatement, match="no_such_thing"):
        Statements("sqlite")["no_such_thing"]


def test_a_schema_step_is_written_for_each_database():
    text = (
        "CREATE TABLE a (id @serial, more @json); -- an @unknown word in a comment\n"
        "-- only: sqlite\nCREATE TRIGGER b;\n-- only: postgres\nCREATE FUNCTION '@c';\n-- only: both\nEND;\n"
    )
    here, there = ddl(text, "sqlite"), ddl(text, "postgres")
    assert "id INTEGER PRIMARY KEY AUTOINCREMENT, more TEXT" in here
    assert "TRIGGER" in here and "FUNCTION" not in here and "END;" in here
    assert "id BIGINT GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY" in there
    assert "TRIGGER" not in there and "FUNCTION '@c'" in there and "END;" in there


@pytest.mark.parametrize(
    "text",
    [
        "CREATE TABLE a (id @lock);",
        "-- only: oracle\nSELECT 1;",
        "CREATE TABLE a (at BIGINT DEFAULT CURRENT_TIMESTAMP);",
    ],
)
def test_a_schema_step_that_means_nothing_is_refused(text):
    with pytest.raises(BadStatement):
        ddl(text, "sqlite")
