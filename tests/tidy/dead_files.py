"""Which modules of the package nothing loads: the rule against files that were left behind."""

import ast
from collections.abc import Collection, Iterator, Mapping

from tests.tidy.python_rules import imported_names, strings

# Started by name from outside the package, with the one who starts it.
ENTRY_POINTS = {
    "shopfloor.__main__": "python -m shopfloor",
    "shopfloor.app.main": "the console script in pyproject.toml",
    "shopfloor.surfaces.web.document": "scripts/docs.py, which writes `openapi.json`",
    "shopfloor.surfaces.web.index": "scripts/docs.py, which writes `routes.jsonl`",
    "shopfloor.surfaces.mcp.index": "scripts/docs.py, which writes `tools.jsonl`",
}


def a_module_is_loaded_by_something(
    modules: Mapping[str, str], entry_points: Collection[str]
) -> Iterator[str]:
    """Complain about modules that no other one imports or names, given name and text of each."""
    loaded = set(entry_points)
    for name, text in modules.items():
        loaded |= {other for other in loaded_by(text) if other != name}
    for name in sorted(modules.keys() - loaded):
        # A package is loaded with anything inside it.
        if not any(other.startswith(f"{name}.") for other in modules):
            yield f"{name} is loaded by nothing; delete it or use it"


def loaded_by(text: str) -> Iterator[str]:
    """The modules a file imports, or names in a string to run or import them by name."""
    tree = ast.parse(text)
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield from imported_names(node)
    yield from (value for _, value in strings(tree))


def module_name(path: str) -> str:
    """`src/shopfloor/app/main.py` is shopfloor.app.main."""
    parts = path.removeprefix("src/").removesuffix(".py").split("/")
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
