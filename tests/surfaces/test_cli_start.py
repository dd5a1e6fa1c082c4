"""What a command loads where no daemon runs: most of a short command's time is its imports."""

import os
import subprocess
import sys
import textwrap

import pytest

PROGRAM = textwrap.dedent("""
    import io, sys
    from shopfloor.app.main import main

    out = sys.stdout
    sys.stdout = io.StringIO()
    sys.argv = ["shop", *sys.argv[1:]]
    code = main()
    out.write(" ".join([str(code), *sorted(sys.modules)]))
""")
# Not `inspect`: the decoder loads `typing_extensions` where it is installed, and that brings it.
NEVER = {
    "dataclasses",
    "shutil",
    "tempfile",
    "socket",
    "tomllib",
    "subprocess",
    "difflib",
    "asyncio",
}


@pytest.fixture
def loaded(tmp_path):
    """The modules that a command has loaded at its end."""

    def run(*words):
        done = subprocess.run(
            [sys.executable, "-S", "-c", PROGRAM, *words],
            check=True,
            capture_output=True,
            text=True,
            timeout=120,
            env={
                "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
                "SHOPFLOOR_HOME": str(tmp_path / "home"),
            },
        )
        code, *names = done.stdout.split()
        assert code == "0"
        return set(names)

    run("create", "first", "--assignee", "worker")
    return run


def rooms(names):
    """The rooms of the package that were loaded."""
    return {name.split(".")[1] for name in names if name.startswith("shopfloor.")}


def test_a_list_without_a_daemon_loads_no_verb_and_nothing_of_processes(loaded):
    names = loaded("list")
    assert not names & (NEVER | {"hashlib", "hmac"})
    assert rooms(names) == {"app", "config", "domain", "ops", "store", "surfaces"}
    assert "shopfloor.store.owner" not in names


def test_a_write_without_a_daemon_loads_the_verbs_and_nothing_of_processes(loaded):
    names = loaded("create", "second", "--assignee", "worker")
    assert not names & NEVER
    assert rooms(names) == {"app", "config", "domain", "kernel", "ops", "store", "surfaces"}


def test_a_configuration_is_opened_only_where_something_is_set(loaded, tmp_path):
    (tmp_path / "home" / "config.toml").write_text("[dispatch]\ncap = 2\n")
    assert "tomllib" in loaded("list")
