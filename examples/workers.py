"""The programs that the demo's tasks run, and all that a worker needs to know.

A worker is any program.  The dispatcher starts it in its task's workspace; who it is stands in its
environment (`SHOPFLOOR_TASK`, `SHOPFLOOR_RUN`, `SHOPFLOOR_ATTEMPT`, `SHOPFLOOR_CONTEXT` …).  A
command's exit status is its verdict; one that has something to hand over says it with `shop`.

    measure FOLDER    count lines and functions, and hand the figures over
    check FILE …      find files without a docstring and functions that are too long
    index FOLDER      list who uses which name, a few files at a time: the next attempt goes on
    indexed FOLDER    the check of `index`: is every file in it?
    merge             read what the parents handed over, and write the report
"""

import ast
import json
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

FUNCTION_LINES_MAX = 60
# So that there is something to watch, and somebody to kill: the work itself takes milliseconds.
PAUSE_S = 0.06


def measure(folder: str) -> int:
    """Count, and hand over a line for people and figures for programs."""
    files = python_files(folder)
    lines, functions = 0, []
    for file in files:
        lines += len(file.read_text().splitlines())
        functions += [(length, f"{file.name}:{name}") for name, length in functions_of(file)]
        time.sleep(PAUSE_S)
    longest = max(functions, default=(0, "-"))
    figures = {"files": len(files), "lines": lines, "functions": len(functions), "longest": longest}
    shop(
        "complete",
        "--result",
        f"{lines} lines in {len(files)} files",
        "--metadata",
        json.dumps(figures),
    )
    return 0


def check(*names: str) -> int:
    """Print what is wrong; the exit status says whether anything is."""
    found = []
    for name in names:
        file = Path(name)
        if ast.get_docstring(ast.parse(file.read_text())) is None:
            found.append(f"{file} does not open with a docstring")
        for function, length in functions_of(file):
            if length > FUNCTION_LINES_MAX:
                found.append(f"{file}: {function} has {length} lines")
        time.sleep(PAUSE_S)
    print("\n".join(found) or f"{len(names)} files are fine")
    return 1 if found else 0


def index(folder: str) -> int:
    """Go on where the attempt before left off: its workspace is still there."""
    kept = Path("index.json")
    known: dict[str, list[str]] = json.loads(kept.read_text()) if kept.exists() else {}
    left = [file for file in python_files(folder) if str(file) not in known]
    print(f"attempt {os.environ['SHOPFLOOR_ATTEMPT']}: {len(known)} known, {len(left)} to go")
    # The first attempt deliberately does half of the work, for the check to find out.
    for file in left if known else left[: len(left) // 2]:
        tree = ast.parse(file.read_text())
        known[str(file)] = sorted({n.id for n in ast.walk(tree) if isinstance(n, ast.Name)})
        time.sleep(PAUSE_S / 3)
    kept.write_text(json.dumps(known))
    return 0


def indexed(folder: str) -> int:
    """Decide between done and one more attempt; what is printed goes into the next one's context."""
    known = json.loads(Path("index.json").read_text())
    missing = [file.name for file in python_files(folder) if str(file) not in known]
    if missing:
        print(f"the index lacks {len(missing)} files, the first is {missing[0]}")
        return 1
    return 0


def merge() -> int:
    """Make one page of what the parents handed over; it is declared as the task's artifact."""
    task = json.loads(shop("show", "--json", os.environ["SHOPFLOOR_TASK"]))
    rows, total = [], Counter[str]()
    for link in task["parents"]:
        parent = json.loads(shop("show", "--json", str(link["id"])))["task"]
        figures = parent["metadata"] or {}
        total.update({name: figures.get(name, 0) for name in ("files", "lines", "functions")})
        if figures:
            length, name = figures["longest"]
            rows.append(
                (
                    figures["lines"],
                    f"| {parent['title']} | {parent['result']} | {name}, {length} lines |",
                )
            )
    head = ["| room | size | longest function |", "| --- | --- | --- |"]
    end = f"{total['lines']} lines, {total['functions']} functions, {total['files']} files."
    page = "\n".join([*head, *(row for _, row in sorted(rows, reverse=True)), "", end, ""])
    Path("report.md").write_text(page)
    shop("complete", "--result", end, "--artifact", "report.md")
    return 0


def python_files(folder: str) -> list[Path]:
    """The Python files below a folder, in order."""
    return sorted(Path(folder).rglob("*.py"))


def functions_of(file: Path) -> list[tuple[str, int]]:
    """Names and lengths of the functions in a file."""
    return [
        (node.name, (node.end_lineno or node.lineno) - node.lineno + 1)
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.FunctionDef)
    ]


def shop(*words: str) -> str:
    """Ask the board; `shop` is in every worker's PATH and takes the credentials from the environment."""
    return subprocess.run(["shop", *words], check=True, capture_output=True, text=True).stdout


def note(word: str) -> None:
    """Append a line to the demo's own ledger, which it compares with the board's in the end."""
    who = {
        name: int(os.environ[f"SHOPFLOOR_{name.upper()}"]) for name in ("task", "run", "attempt")
    }
    line = json.dumps({"word": word, "pid": os.getpid(), **who}) + "\n"
    with Path(os.environ["LEDGER"]).open("a") as ledger:
        ledger.write(line)


def hold(name: str) -> None:
    """Wait while the demo holds these workers: what it kills, or lets outlive, is at work for sure."""
    while Path(os.environ["LEDGER"]).with_name(f"hold-{name}").exists():
        time.sleep(PAUSE_S)


WORKERS: dict[str, Callable[..., int]] = {
    "measure": measure,
    "check": check,
    "index": index,
    "merge": merge,
}


def main() -> int:
    """Run the worker that is named, between two lines of the ledger."""
    name, *words = sys.argv[1:]
    if name == "indexed":
        return indexed(*words)
    note("start")
    hold("all")
    hold(name)
    status = WORKERS[name](*words)
    note("end")
    return status


if __name__ == "__main__":
    sys.exit(main())
