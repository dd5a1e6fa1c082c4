"""The pages compared with the code: what they list is there, and what is there is listed."""

import ast
import re
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

from shopfloor.domain import settings
from shopfloor.domain.events import KINDS
from shopfloor.domain.lifecycle import EVENT_IS_OUTCOME, RULES, Outcome
from shopfloor.domain.outcomes import WORKERS_OWN
from shopfloor.ops.registry import everything
from shopfloor.surfaces.cli.reference import EXIT_CODES

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "src" / "shopfloor"
DECISIONS = sorted((ROOT / "docs" / "decisions").glob("0*.md"))
HEADINGS = ["Context", "Decision", "Cost", "What would change our mind"]


def read(path: str) -> str:
    return (ROOT / path).read_text(encoding="utf-8")


@pytest.fixture
def docs(monkeypatch, tmp_path):
    """The script that makes the reference, with a folder of its own to write into."""
    monkeypatch.syspath_prepend(str(ROOT / "scripts"))
    before = set(sys.modules)
    script = import_module("docs")
    monkeypatch.setattr(script, "FOLDER", tmp_path / "reference")
    yield script
    for name in set(sys.modules) - before:
        if name in ("docs", "page", "pages_of_board", "pages_of_requests"):
            del sys.modules[name]


def test_the_reference_pages_say_what_the_code_says(docs):
    assert docs.main([]) == 0
    for made in docs.FOLDER.iterdir():
        assert made.read_text() == read(f"docs/reference/{made.name}"), "run `make docs`"


def test_a_stale_a_missing_and_a_foreign_page_are_named(docs, capsys):
    docs.main([])
    assert docs.main(["--check"]) == 0
    (docs.FOLDER / "events.md").write_text("# Events\n")
    (docs.FOLDER / "errors.md").unlink()
    (docs.FOLDER / "notes.md").write_text("# Notes\n")
    assert docs.main(["--check"]) == 1
    named = re.findall(r"docs/reference/(\S+) is not", capsys.readouterr().err)
    assert named == ["errors.md", "events.md", "notes.md"]


def test_every_kind_of_event_that_is_written_is_listed_and_no_other():
    ruled = {rule.event for rule in RULES} - {EVENT_IS_OUTCOME}
    judged = {outcome.value for outcome in Outcome if outcome not in WORKERS_OWN}
    said = {kind for folder in ("kernel", "ops") for kind in kinds_written(PACKAGE / folder)}
    assert ruled | judged | said == KINDS.keys()


def kinds_written(folder: Path) -> Iterator[str]:
    """The kinds that the files of a folder hand to `events.append`, directly or as a `kind`."""
    for path in folder.glob("*.py"):
        tree = ast.parse(path.read_text())
        takers = {
            node.name: [argument.arg for argument in node.args.args].index("kind")
            for node in ast.walk(tree)
            if isinstance(node, ast.FunctionDef)
            if "kind" in [argument.arg for argument in node.args.args]
        }
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "events.append":
                yield from texts(node.args[1])
            elif isinstance(node, ast.Call) and ast.unparse(node.func) in takers:
                yield from texts(*node.args[takers[ast.unparse(node.func)] :][:1])
            elif isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "kind":
                yield from texts(node.value)


def texts(*nodes: ast.expr) -> Iterator[str]:
    """The texts that an expression may be: a constant, or either side of a choice."""
    for node in nodes:
        if isinstance(node, ast.IfExp):
            yield from texts(node.body, node.orelse)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def test_every_setting_has_words_and_is_on_its_page():
    page = read("docs/reference/settings.md")
    for kind in (settings.Dispatch, settings.Profile, settings.Retention):
        said = settings.fields(kind)
        assert {field.name for field in said} == set(kind._fields) - {"name"}
        for field in said:
            assert field.words
            assert f"| `{field.name.removesuffix('_ms')}` |" in page


def test_every_operation_is_on_its_page():
    page = read("docs/reference/operations.md")
    assert [name for name in everything() if f"## {name}\n" not in page] == []


def test_the_dispatchers_guide_knows_every_reason_for_waiting():
    source = (PACKAGE / "kernel" / "why.py").read_text()
    codes = set(re.findall(r'Reason\(\s*"(\w+)"', source))
    assert codes
    guide = read("docs/guides/dispatcher.md")
    assert [code for code in sorted(codes) if f"`{code}`" not in guide] == []


def test_the_workers_guide_knows_every_variable_that_a_worker_gets():
    sources = (PACKAGE / "runners" / "command.py", PACKAGE / "process" / "spec.py")
    names = {
        name for path in sources for name in re.findall(r'"(SHOPFLOOR_\w+)"', path.read_text())
    }
    assert names
    guide = read("docs/guides/workers.md")
    assert [name for name in sorted(names) if f"`{name}`" not in guide] == []


def test_the_readme_knows_the_exit_codes_of_the_commands():
    told = re.findall(r"^\| (\d+) \| (.*?) \|$", read("README.md"), re.MULTILINE)
    words = {str(code): meaning for code, meaning in EXIT_CODES}
    assert {code for code, _ in told} <= words.keys()
    errors = {str(kind.exit) for op in everything().values() for kind in op.errors}
    assert errors <= {code for code, _ in told}


def test_the_tests_that_the_architecture_names_are_there():
    page = read("ARCHITECTURE.md")
    named = re.findall(r"^   \[(\S+)\]\(tests/\S+\): (.*)$", page, re.MULTILINE)
    assert named
    for file, names in named:
        source = read(f"tests/{file}")
        for name in re.findall(r"`(\w+)`", names):
            assert f"def {name}(" in source, f"{file} has no {name}"


def test_the_files_that_the_architecture_names_are_there():
    page = read("ARCHITECTURE.md")
    named = re.findall(r"`((?:\w+/)+\w+\.py)\b", page)
    assert named
    assert [path for path in named if not (PACKAGE / path).exists()] == []


def test_the_architecture_is_one_sitting():
    assert read("ARCHITECTURE.md").count("\n") <= 250


@pytest.mark.parametrize("path", DECISIONS, ids=lambda path: path.stem)
def test_a_decision_is_short_whole_and_in_the_list(path):
    text = path.read_text(encoding="utf-8")
    assert text.count("\n") <= 60
    assert re.findall(r"^## (.*)$", text, re.MULTILINE) == HEADINGS
    number = path.name[:4]
    assert text.startswith(f"# {number}: ")
    assert f"| [{number}]({path.name}) | " in read("docs/decisions/README.md")
