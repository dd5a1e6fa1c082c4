"""The import contracts of pyproject.toml hold for a small tree and break for each bad import.

The tree has a module per layer and nothing in it; each case adds one line that the contracts
must refuse, or must allow.
"""

import os
import shutil
import subprocess

import pytest

from tests.tidy.conftest import ROOT

LAYERS = ("app", "surfaces", "daemon", "ops", "kernel", "store", "process", "config", "domain")
OPTIONAL = ("runners", "sinks", "planner")


@pytest.fixture
def tree(tmp_path):
    """A package with an empty module in every layer that must exist, under the real contracts."""
    package = tmp_path / "shopfloor"
    for layer in LAYERS:
        add(package, layer)
    (package / "__init__.py").touch()
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return package


def add(package, layer, line=""):
    """Add a layer, or a module with one line to a layer that is there."""
    (package / layer).mkdir(parents=True, exist_ok=True)
    (package / layer / "__init__.py").touch()
    (package / layer / "part.py").write_text(f"{line}\n")


def lint(package):
    """Whether the contracts hold, and what was said."""
    done = subprocess.run(
        [ROOT / ".venv" / "bin" / "lint-imports", "--no-cache"],
        cwd=package.parent,
        check=False,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(package.parent)},
    )
    return done.returncode == 0, done.stdout + done.stderr


def test_the_contracts_hold_with_and_without_the_optional_layers(tree):
    assert lint(tree)[0], lint(tree)[1]
    for layer in OPTIONAL:
        add(tree, layer, "from shopfloor.process import part")
    held, said = lint(tree)
    assert held, said


@pytest.mark.parametrize(
    ("layer", "line"),
    [
        ("domain", "from shopfloor.store import part"),
        ("daemon", "from shopfloor.surfaces import part"),
        ("surfaces", "from shopfloor.kernel import part"),
        ("kernel", "import subprocess"),
        ("ops", "from shopfloor.process import part"),
        ("kernel", "import sqlite3"),
        ("daemon", "import psycopg"),
        ("app", "import subprocess"),
        ("store", "from shopfloor.config import part"),
        ("runners", "from shopfloor.store import part"),
        ("sinks", "import subprocess"),
        ("planner", "import sqlite3"),
        ("somewhere", ""),
    ],
)
def test_an_import_that_the_house_forbids_breaks_a_contract(tree, layer, line):
    add(tree, layer, line)
    held, said = lint(tree)
    assert not held
    assert "BROKEN" in said
