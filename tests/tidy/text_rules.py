"""The house's rules for SQL, Markdown and texts of any kind; pure functions, as for Python.

A rule gets a path below the repository's root and the text, and returns sentences.  Those that
must look around (does the link's target exist, what does a folder hold) are given a function or
a set to ask.
"""

import posixpath
import re
from collections.abc import Callable, Collection, Iterator

README_LINES = 60
FILE_LINES = 400
STATEMENT_LINES = 40

# The one statement that changes a task's status.
STATUS_STATEMENT = "task_apply"

# Words that mean something only where the project was first written.  Spelled in two halves, so
# that this file does not break its own rule.
FOREIGN_WORDS = tuple(
    "".join(halves)
    for halves in (
        ("/wo", "rk/"),
        ("/ro", "ot/"),
        ("/tmp/", "shop/"),
        (".lib", "rary"),
        (".py", "env"),
        ("HOU", "SE.md"),
        ("DES", "IGN.md"),
        ("ECO", "SYSTEM.md"),
        ("REQUIRE", "MENTS.md"),
        ("REFER", "ENCE.md"),
        ("COM", "MON.md"),
    )
)
_SHARED_FOLDER = re.compile(r"(?<![\w./-])" + "sha" + "red/")
# Where packages come from is the business of the machine's settings.
REGISTRIES = tuple(
    "".join(halves)
    for halves in (
        ("pypi", ".org"),
        ("python", "hosted.org"),
        ("npmjs", ".org"),
        ("npmjs", ".com"),
        ("yarnpkg", ".com"),
        ("deb.", "debian.org"),
        ("crates", ".io"),
        ("proxy.", "golang.org"),
        ("ana", "conda.org"),
        ("docker", ".io"),
        ("ghcr", ".io"),
    )
)

_UPDATE_TASK = re.compile(r"\bUPDATE\s+task\b(?:\s+AS\s+\w+)?\s+SET\b(.*?)(?:\bWHERE\b|;|\Z)",
                          re.IGNORECASE | re.DOTALL)  # fmt: skip
_STATUS_SET = re.compile(r"(?:^|,)\s*status\s*=", re.IGNORECASE)
_STATEMENT_NAME = re.compile(r"^--\s*name:\s*(\w+).*$", re.MULTILINE)
_FENCE = re.compile(r"^(```|~~~).*?^\1\s*$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"(?<!\\)\[[^\]]*\]\(\s*<?([^)\s>]+)>?[^)]*\)")
_UNFINISHED = re.compile(r"(?:--|//|/\*|#)\s*(TODO|FIXME|XXX|HACK)\b")


def at(path: str, text: str, position: int, complaint: str) -> str:
    """A complaint with the line that it is about."""
    return f"{path}:{text.count(chr(10), 0, position) + 1}: {complaint}"


def a_source_file_has_at_most_400_lines(path: str, text: str) -> Iterator[str]:
    lines = text.count("\n")
    if lines > FILE_LINES:
        yield f"{path}:1: has {lines} lines, {FILE_LINES} are allowed"


def a_source_file_leaves_nothing_to_do(path: str, text: str) -> Iterator[str]:
    for found in _UNFINISHED.finditer(text):
        yield at(path, text, found.start(), f"is unfinished: {found[1]}")


def only_task_apply_changes_a_status(path: str, text: str) -> Iterator[str]:
    for name, start, statement in statements(text):
        if name == STATUS_STATEMENT:
            continue
        for update in _UPDATE_TASK.finditer(statement):
            if _STATUS_SET.search(update[1]):
                yield at(path, text, start, f"{name or 'a statement'} changes a task's status")


def a_statement_has_at_most_40_lines(path: str, text: str) -> Iterator[str]:
    for name, start, statement in statements(text):
        lines = statement.rstrip().count("\n")
        if name and lines > STATEMENT_LINES:
            yield at(path, text, start, f"{name} has {lines} lines, {STATEMENT_LINES} are allowed")


def statements(text: str) -> Iterator[tuple[str | None, int, str]]:
    """The named statements of a file as (name, position, text); a file without names is one."""
    names = list(_STATEMENT_NAME.finditer(text))
    if not names:
        yield None, 0, without_sql_comments(text)
        return
    for found, following in zip(names, [*names[1:], None], strict=True):
        end = following.start() if following else len(text)
        yield found[1], found.start(), without_sql_comments(text[found.start() : end])


def without_sql_comments(text: str) -> str:
    """The statements alone: what a comment says about a status changes none."""
    return re.sub(r"--.*", "", text)


def a_page_has_one_title(path: str, text: str) -> Iterator[str]:
    titles = re.findall(r"^# \S.*$", _FENCE.sub("", text), re.MULTILINE)
    if len(titles) != 1:
        yield f"{path}:1: has {len(titles)} titles instead of one"


def a_link_leads_somewhere(path: str, text: str, exists: Callable[[str], bool]) -> Iterator[str]:
    prose = re.sub(r"`[^`\n]*`", "", _FENCE.sub("", text))
    for target in _LINK.findall(prose):
        if re.match(r"[a-z][a-z0-9+.-]*:|#|/", target):
            continue
        file = posixpath.normpath(posixpath.join(posixpath.dirname(path), target.partition("#")[0]))
        if not exists(file):
            yield f"{path}: the link to {target} leads nowhere"


def a_folder_page_is_short(path: str, text: str) -> Iterator[str]:
    lines = text.count("\n")
    if lines > README_LINES:
        yield f"{path}:1: has {lines} lines, {README_LINES} are allowed"


def a_folder_page_names_its_files(path: str, text: str, names: Collection[str]) -> Iterator[str]:
    for name in sorted(names):
        if not re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", text):
            yield f"{path}: does not name {name}"


def there_are_no_foreign_words(path: str, text: str) -> Iterator[str]:
    for word in (*FOREIGN_WORDS, *REGISTRIES):
        if (position := text.find(word)) >= 0:
            yield at(path, text, position, f"mentions {word}, which means nothing to a reader")
    if found := _SHARED_FOLDER.search(text):
        yield at(path, text, found.start(), f"mentions {found[0]}, which means nothing to a reader")
