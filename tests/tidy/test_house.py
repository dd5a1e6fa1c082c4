"""The house's rules, held against every file of the repository.

The rules are the functions of `python_rules`, `text_rules` and `dead_files`; here stands only
which files each one is for.  `test_rules.py` shows that every rule can fail.
"""

import re
from collections.abc import Callable, Iterable

import pytest

from tests.tidy import dead_files, python_rules, text_rules
from tests.tidy.conftest import ROOT
from tests.tidy.python_rules import File

PACKAGE = "src/shopfloor/"

# Where each rule looks: a path matches when it begins with one of these.
PYTHON_EVERYWHERE = ("src/", "tests/", "scripts/", "examples/", "bench/")
PYTHON_RULES: dict[Callable[[File], Iterable[str]], tuple[str, ...]] = {
    python_rules.a_file_has_at_most_400_lines: PYTHON_EVERYWHERE,
    python_rules.a_function_has_at_most_60_lines: PYTHON_EVERYWHERE,
    python_rules.a_function_takes_at_most_4_positional_parameters: (PACKAGE,),
    python_rules.a_file_opens_with_a_docstring: PYTHON_EVERYWHERE,
    python_rules.only_heavy_modules_are_imported_inside_a_function: (PACKAGE,),
    python_rules.there_is_no_sql_outside_the_store: (PACKAGE,),
    python_rules.there_is_nothing_left_to_do: PYTHON_EVERYWHERE,
    python_rules.there_are_no_issue_numbers: PYTHON_EVERYWHERE,
    python_rules.a_module_is_named_for_what_it_is: PYTHON_EVERYWHERE,
    python_rules.no_database_file_is_opened_but_by_sqlite: (PACKAGE,),
    python_rules.a_test_waits_for_a_condition: ("tests/",),
}
# Files that a rule is not for: the store is the place for SQL, and waiting has to be done somewhere.
NOT_FOR = {
    python_rules.there_is_no_sql_outside_the_store: ("src/shopfloor/store/",),
    python_rules.a_test_waits_for_a_condition: ("tests/support/",),
}

# Tests that may be left out on some machines, and how many times a file says so.
SKIPS = {
    "tests/e2e/test_service.py": 1,
    "tests/store/test_engine_disk.py": 1,
    "tests/store/test_postgres_server.py": 1,
    "tests/support/browser.py": 1,
    "tests/support/containers.py": 1,
}

SOURCES = (".py", ".sql", ".js", ".css", ".sh")
# Code of other people that came with its licence, and pages made of fragments.
VENDORED = re.compile(r"(^|/)vendor(ed)?/")
FRAGMENTS = "changelog.d/"


def expect_no_complaints(results: Iterable[Iterable[str]]) -> None:
    """Fail with every complaint on a line of its own, and no traceback that nobody needs."""
    complaints = [complaint for result in results for complaint in result]
    if complaints:
        pytest.fail("\n".join(complaints), pytrace=False)


@pytest.mark.parametrize("rule", PYTHON_RULES, ids=lambda rule: rule.__name__)
def test_every_python_file_keeps_the_rule(rule, files):
    allowed = NOT_FOR.get(rule, ("nothing",))
    expect_no_complaints(
        rule(file)
        for file in files
        if file.path.startswith(PYTHON_RULES[rule]) and not file.path.startswith(allowed)
    )


@pytest.mark.parametrize(
    "rule",
    [text_rules.a_source_file_has_at_most_400_lines, text_rules.a_source_file_leaves_nothing_to_do],
    ids=lambda rule: rule.__name__,
)
def test_every_other_source_file_keeps_the_rule(rule, texts):
    files = {
        path: text
        for path, text in texts.items()
        if path.endswith(SOURCES) and not path.endswith(".py") and not VENDORED.search(path)
    }
    expect_no_complaints(rule(path, text) for path, text in files.items())


@pytest.mark.parametrize(
    "rule",
    [text_rules.only_task_apply_changes_a_status, text_rules.a_statement_has_at_most_40_lines],
    ids=lambda rule: rule.__name__,
)
def test_every_statement_keeps_the_rule(rule, texts):
    files = {path: text for path, text in texts.items() if path.endswith(".sql")}
    expect_no_complaints(rule(path, text) for path, text in files.items())


def test_every_page_has_one_title_and_links_that_lead_somewhere(texts):
    pages = {
        path: text
        for path, text in texts.items()
        if path.endswith(".md") and not path.startswith(FRAGMENTS) and not VENDORED.search(path)
    }
    titles = [text_rules.a_page_has_one_title(path, text) for path, text in pages.items()]
    links = [
        text_rules.a_link_leads_somewhere(path, text, lambda file: (ROOT / file).exists())
        for path, text in pages.items()
    ]
    expect_no_complaints([*titles, *links])


def test_no_file_mentions_what_only_its_writers_knew(texts):
    found = [text_rules.there_are_no_foreign_words(path, text) for path, text in texts.items()]
    expect_no_complaints(found)


def test_every_folder_of_the_package_has_a_short_page_that_names_its_files(paths, texts):
    inside = [path for path in paths if path.startswith(PACKAGE) and not VENDORED.search(path)]
    folders = {path.split("/")[2] for path in inside if path.count("/") > 2}
    complaints = []
    for folder in ["", *sorted(folders)]:
        page = f"{PACKAGE}{folder}/README.md".replace("//", "/")
        if page not in texts:
            complaints.append(f"{page} is missing")
            continue
        names = names_for_page(inside, page.removesuffix("README.md"))
        complaints += text_rules.a_folder_page_is_short(page, texts[page])
        complaints += text_rules.a_folder_page_names_its_files(page, texts[page], names)
    expect_no_complaints([complaints])


def names_for_page(paths: list[str], folder: str) -> set[str]:
    """What a folder's page names: its modules, and the folders below it."""
    names = set()
    for path in paths:
        first, _, below = path.removeprefix(folder).partition("/")
        if path.startswith(folder) and (below or first.endswith(".py")):
            names.add(first)
    return names - {"__init__.py", "__main__.py"}


@pytest.mark.parametrize(
    ("page", "folder"),
    [("docs/decisions/README.md", "docs/decisions/0"), ("docs/README.md", "docs/guides/")],
)
def test_every_decision_and_every_guide_stands_in_its_table_of_contents(page, folder, paths, texts):
    names = [path.rpartition("/")[2] for path in paths if path.startswith(folder)]
    assert [name for name in names if f"{name})" not in texts[page]] == []


def test_every_module_of_the_package_is_loaded_by_something(texts):
    modules = {
        dead_files.module_name(path): text
        for path, text in texts.items()
        if path.startswith(PACKAGE) and path.endswith(".py")
    }
    found = dead_files.a_module_is_loaded_by_something(modules, dead_files.ENTRY_POINTS)
    expect_no_complaints([found])


def test_every_folder_of_tests_is_a_stage_of_the_gate(paths):
    folders = {
        path.split("/")[1] for path in paths if re.match(r"tests/\w+/(.*/)?test_.*\.py", path)
    }
    gate = (ROOT / "scripts" / "gate.py").read_text()
    assert [name for name in sorted(folders) if f'Stage("{name}"' not in gate] == []


def test_the_list_of_skips_changes_in_review_only(texts):
    skip = re.compile(r"pytest\.(?:mark\.skip|skip\(|importorskip\()|\bskipif\(")
    found = {
        path: len(skip.findall(text))
        for path, text in texts.items()
        if path.startswith("tests/") and not path.startswith("tests/tidy/") and skip.search(text)
    }
    assert found == SKIPS
