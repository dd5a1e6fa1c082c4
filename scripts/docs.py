"""What is made from the code: `make docs` writes it, `--check` names what is stale.

Every page is a function that returns its text (`pages_of_board.py`, `pages_of_requests.py`), and `PAGES`
says which file it fills.  What a page says comes from where the program reads it: the lifecycle's
table, the registry of operations, the tree of errors, the settings' fields, the schema steps.  `OTHERS`
are files elsewhere that are made the same way: the command line's list of its commands, the usages
that a review should see change, and the checksums of the schema steps.
"""

import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pages_of_board as board
import pages_of_dashboard as dashboard
import pages_of_presets as presets
import pages_of_requests as requests
import pages_of_web as web
import pages_of_workers as of_workers
from page import page

from shopfloor.store import migrate
from shopfloor.surfaces.cli import index, reference
from shopfloor.surfaces.mcp import index as tool_index
from shopfloor.surfaces.web import document
from shopfloor.surfaces.web import index as route_index

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "docs" / "reference"


def contents() -> str:
    """The list of the pages."""
    rows = [f"- [{_title(make())}]({name})" for name, make in PAGES.items() if make is not contents]
    return page(
        "Reference",
        "Made from the code, and compared with it by every `make check`.",
        "\n".join(rows),
    )


def _title(text: str) -> str:
    return next(line for line in text.splitlines() if line.startswith("# ")).removeprefix("# ")


PAGES: dict[str, Callable[[], str]] = {
    "README.md": contents,
    "cli.md": requests.commands,
    "settings.md": board.setting_fields,
    "presets.md": presets.presets,
    "lifecycle.md": board.lifecycle,
    "outcomes.md": board.outcomes,
    "events.md": board.event_kinds,
    "operations.md": requests.operations,
    "api.md": web.api,
    "workers.md": of_workers.workers,
    "tools.md": requests.tools,
    "errors.md": board.errors,
    "schema.md": board.schema,
}


OTHERS: dict[Path, Callable[[], str]] = {
    ROOT / "src/shopfloor/surfaces/cli/commands.jsonl": index.text,
    ROOT / "src/shopfloor/surfaces/mcp/tools.jsonl": tool_index.text,
    ROOT / "src/shopfloor/surfaces/web/routes.jsonl": route_index.text,
    ROOT / "src/shopfloor/surfaces/web/static/core/lifecycle.js": dashboard.lifecycle,
    ROOT / "src/shopfloor/surfaces/web/openapi.json": document.text,
    ROOT / "tests/surfaces/golden/cli.txt": reference.usage,
    migrate.CHECKSUMS: migrate.checksums,
}


def stale_others() -> list[str]:
    """The files elsewhere that do not say what the code says."""
    return [
        str(path.relative_to(ROOT))
        for path, make in OTHERS.items()
        if not path.is_file() or path.read_text(encoding="utf-8") != make()
    ]


def stale() -> list[str]:
    """The pages that do not say what the code says, and files that are no page."""
    there = {path.name for path in FOLDER.glob("*")}
    changed = {
        name
        for name, make in PAGES.items()
        if name not in there or (FOLDER / name).read_text(encoding="utf-8") != make()
    }
    return sorted(changed | (there - PAGES.keys()))


def main(arguments: Sequence[str]) -> int:
    """Write the pages, or with --check only compare them."""
    if arguments == ["--check"]:
        found = [f"docs/reference/{name}" for name in stale()] + stale_others()
        for name in found:
            print(f"{name} is not what the code says; run `make docs`", file=sys.stderr)
        return 1 if found else 0
    if arguments:
        print("usage: docs.py [--check]", file=sys.stderr)
        return 2
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, make in PAGES.items():
        (FOLDER / name).write_text(make(), encoding="utf-8")
    for path, make in OTHERS.items():
        path.write_text(make(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
