"""Every rule of the house can fail: each is given a sample that breaks it, and one that does not."""

import pytest

from tests.tidy import dead_files, python_rules, text_rules
from tests.tidy.python_rules import File

LONG_FUNCTION = "def f():\n" + "    x = 1\n" * 60
OK_FUNCTION = "def f():\n" + "    x = 1\n" * 59

PYTHON_SAMPLES = [
    (python_rules.a_file_has_at_most_400_lines, "x = 1\n" * 401, "x = 1\n" * 400),
    (python_rules.a_function_has_at_most_60_lines, LONG_FUNCTION, OK_FUNCTION),
    (
        python_rules.a_function_takes_at_most_4_positional_parameters,
        "def f(a, b, c, d, e): ...",
        "class C:\n    def f(self, a, b, c, d, *, e, f): ...",
    ),
    (python_rules.a_file_opens_with_a_docstring, "x = 1\n", '"""What it is for."""\n'),
    (
        python_rules.only_heavy_modules_are_imported_inside_a_function,
        "def f():\n    import json\n",
        "import json\ndef f():\n    from psycopg import sql\n",
    ),
    (
        python_rules.only_heavy_modules_are_imported_inside_a_function,
        "def f():\n    from psycopgother import sql\n",
        "def f():\n    import psycopg.rows\n",
    ),
    (
        python_rules.there_is_no_sql_outside_the_store,
        "q = 'SELECT * FROM task WHERE id = 1'",
        "q = 'Select the tasks from the list above'",
    ),
    (
        python_rules.there_is_no_sql_outside_the_store,
        "q = f'update {table} set x = 1 where y'",
        "q = f'Update {name}, then set it up'",
    ),
    (
        python_rules.there_is_no_sql_outside_the_store,
        "q = '''\n  DELETE FROM run\n'''",
        '"""SELECT id FROM task is what the store says."""',
    ),
    (
        python_rules.there_is_no_sql_outside_the_store,
        "q = 'PRAGMA user_version'",
        "q = 'pragmatic'",
    ),
    (
        python_rules.there_is_nothing_left_to_do,
        "x = 1  # TODO: finish",
        "S = {'TODO': 1}  # S.TODO",
    ),
    (python_rules.there_is_nothing_left_to_do, '"""Here.\n\nFIXME\n"""', '"""A todo task."""'),
    (python_rules.there_are_no_issue_numbers, "x = 1  # see #12", "x = '#12'  # tasks as #42"),
    (python_rules.there_are_no_issue_numbers, '"""Works around issue 7."""', '"""An issue."""'),
    (
        python_rules.no_database_file_is_opened_but_by_sqlite,
        "open(f'{x}/board.db')",
        "open('a.txt')",
    ),
    (
        python_rules.no_database_file_is_opened_but_by_sqlite,
        "shutil.copyfile(database_path, other)",
        "shutil.copyfile(log_path, other)",
    ),
    (
        python_rules.no_database_file_is_opened_but_by_sqlite,
        "path.with_name('board.db-wal').read_bytes()",
        "path.with_name('board.db-wal').stat()",
    ),
    (python_rules.a_test_waits_for_a_condition, "time.sleep(1)", "eventually(lambda: 1)"),
]


@pytest.mark.parametrize(("rule", "bad", "good"), PYTHON_SAMPLES)
def test_a_python_rule_tells_good_from_bad(rule, bad, good):
    assert list(rule(File("src/shopfloor/sample.py", bad)))
    assert list(rule(File("src/shopfloor/sample.py", good))) == []


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("src/shopfloor/utils.py", False),
        ("src/shopfloor/common/rows.py", False),
        ("tests/support/helpers.py", False),
        ("src/shopfloor/process/helper.py", True),
        ("src/shopfloor/domain/lifecycle.py", True),
    ],
)
def test_a_name_that_says_nothing_is_refused(path, allowed):
    found = list(python_rules.a_module_is_named_for_what_it_is(File(path, "")))
    assert (found == []) is allowed


STATEMENT = "-- name: {}\nUPDATE task\n   SET {}\n WHERE status = 'ready'\n"
TEXT_SAMPLES = [
    (text_rules.a_source_file_has_at_most_400_lines, "x\n" * 401, "x\n" * 400),
    (text_rules.a_source_file_leaves_nothing_to_do, "SELECT 1; -- TODO: more", "-- a todo task"),
    (text_rules.a_source_file_leaves_nothing_to_do, "let a; // FIXME", "let a; // fixed"),
    (
        text_rules.only_task_apply_changes_a_status,
        STATEMENT.format("task_touch", "rev = 1, status = 'done'"),
        STATEMENT.format("task_apply", "rev = 1, status = 'done'"),
    ),
    (
        text_rules.only_task_apply_changes_a_status,
        STATEMENT.format("task_touch", "status = 'done'"),
        STATEMENT.format("task_touch", "rev = 2, block_status = 1"),
    ),
    (text_rules.only_task_apply_changes_a_status, "UPDATE task SET status = 'x';", "SELECT 1;"),
    (
        text_rules.a_statement_has_at_most_40_lines,
        "-- name: long\n" + "SELECT 1\n" * 41 + "-- name: short\nSELECT 1\n",
        "-- name: long\n" + "SELECT 1\n" * 40 + "-- name: short\nSELECT 1\n",
    ),
    (text_rules.a_page_has_one_title, "# One\n\n# Two\n", "# One\n\n```sh\n# comment\n```\n"),
    (text_rules.a_page_has_one_title, "no title\n", "# One\n\n## Below\n"),
    (text_rules.a_folder_page_is_short, "x\n" * 61, "x\n" * 60),
    (text_rules.there_are_no_foreign_words, "see /wo" + "rk/main", "network/main"),
    (text_rules.there_are_no_foreign_words, "see sha" + "red/x", "lib/sha" + "red/x"),
    (text_rules.there_are_no_foreign_words, "https://py" + "pi.org/simple", "from an index"),
]


@pytest.mark.parametrize(("rule", "bad", "good"), TEXT_SAMPLES)
def test_a_text_rule_tells_good_from_bad(rule, bad, good):
    assert list(rule("sample", bad))
    assert list(rule("sample", good)) == []


def test_a_dead_link_is_found_from_the_page_that_has_it():
    text = "[a](../b.md#part) [c](d.md) [e](https://example.org) [f](#here) `[g](h.md)`\n"
    looked_for = []

    def exists(path):
        looked_for.append(path)
        return path == "docs/b.md"

    found = list(text_rules.a_link_leads_somewhere("docs/x/page.md", text, exists))
    assert looked_for == ["docs/b.md", "docs/x/d.md"]
    assert found == ["docs/x/page.md: the link to d.md leads nowhere"]


def test_a_folder_page_must_name_each_file_by_its_whole_name():
    names = {"rows.py", "sql"}
    rule = text_rules.a_folder_page_names_its_files
    assert list(rule("README.md", "`rows.py` and `sql/`", names)) == []
    assert len(list(rule("README.md", "`task_rows.py` and mysql", names))) == 2


def test_a_module_that_nothing_loads_is_found():
    modules = {
        "shop": "",
        "shop.main": "from shop.ops import tasks",
        "shop.ops": "",
        "shop.ops.tasks": "START = ['-m', 'shop.worker']",
        "shop.worker": "",
        "shop.left": "import shop.left",
    }
    found = list(dead_files.a_module_is_loaded_by_something(modules, {"shop.main"}))
    assert found == ["shop.left is loaded by nothing; delete it or use it"]


def test_a_path_is_turned_into_the_name_that_is_imported():
    assert dead_files.module_name("src/shopfloor/app/main.py") == "shopfloor.app.main"
    assert dead_files.module_name("src/shopfloor/app/__init__.py") == "shopfloor.app"
