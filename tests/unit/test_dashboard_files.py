"""The dashboard's files: what the first page needs is fetched at once, and nothing comes from elsewhere."""

import posixpath
import re
from pathlib import Path

STATIC = Path(__file__).resolve().parents[2] / "src/shopfloor/surfaces/web/static"
IMPORT = re.compile(
    r"""(?:^|[;}\s])(?:import|export)\s*(?:[\w$*{},\s]+?\s*from\s*)?["'](\.[^"']+)["']"""
)
FOREIGN = re.compile(r"""(?:src|href|url\(|from|import)\s*[=(]?\s*["']?(?:https?:)?//""")


def needed(start: str) -> set[str]:
    """The modules that one loads, and those that these load; what is loaded later is not among them."""
    found: set[str] = set()
    waiting = [start]
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        found.add(name)
        text = (STATIC / name).read_text()
        folder = posixpath.dirname(name)
        waiting += [posixpath.normpath(posixpath.join(folder, one)) for one in IMPORT.findall(text)]
    return found


def test_every_module_of_the_first_page_is_fetched_at_once():
    listed = re.findall(
        r'<link rel="modulepreload" href="/static/([^"]+)">', (STATIC / "index.html").read_text()
    )
    assert set(listed) == needed("main.js") - {"main.js"}
    assert len(listed) == len(set(listed))


def test_nothing_is_loaded_from_a_foreign_address():
    pages = [*STATIC.rglob("*.js"), *STATIC.rglob("*.css"), *STATIC.rglob("*.html")]
    assert [str(page) for page in pages if FOREIGN.search(page.read_text())] == []
