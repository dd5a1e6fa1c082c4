"""The house's rules for Python files, each a pure function from a file to its complaints.

A rule gets a `File` and returns sentences; no complaint means the file keeps the rule.  What is
allowed by name (heavy modules, readers of database files) is a table here, with the reason
beside it: such a list grows in a reviewed line and nowhere else.
"""

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

FILE_LINES = 400
FUNCTION_LINES = 60
POSITIONAL_PARAMETERS = 4

# Modules that may be imported inside a function, with what that saves.
HEAVY_MODULES = {
    "psycopg": "113 ms, and only boards on PostgreSQL need it",
    "psycopg_pool": "comes with psycopg",
    "shopfloor.store.postgres": "brings psycopg",
    "shopfloor.app.own_door": "brings the kernel, which a command at an open door does not need",
    "shopfloor.planner": "brings processes and types that only a question to a model needs",
    "shopfloor.app.files": "brings the room of processes, and most requests touch no file",
    "shopfloor.process.files": "brings tempfile, and a board's own files seldom change",
    "shopfloor.store.drift": "compares and rebuilds schemas, and only one that was changed needs it",
    "shopfloor.store.postgres_drift": "compares schemas, and only fsck and doctor of a shared board need it",
    "shopfloor.process.fetch": "brings HTTP and processes, and few files come from the web",
    "shopfloor.process.diff": "brings git and subprocess, and few requests look at a worktree",
    "shopfloor.ops.receipt_book": "brings hashing, and few tasks are deleted",
    "shopfloor.ops.deputy": "brings the fencing, and few requests are an orchestrator's",
    "shopfloor.kernel.why": "brings the verbs, and a list does without them",
    "shopfloor.ops.diagnostics": "brings the rules, and only `show` among the verbs tells what they find",
    "shopfloor.app.access": "brings file locks and hashes, which only tokens need",
    "shopfloor.surfaces.mcp.app": "brings the protocol's library: half a second and 60 MB for who uses it",
    "shopfloor.app.remote": "brings HTTP, which only a board on another machine needs",
    "nh3": "brings the cleaner of HTML, and most requests show none",
    "markdown_it": "brings the reader of Markdown, and most requests show none",
    "shopfloor.app.keys": "brings hashing and files, and few requests need a key",
    "cryptography": "30 ms and an extra, and only who signs or checks signatures needs it",
    "shopfloor.app.profiles": "brings the trial of agent programs and its servers, which few requests need",
    "shopfloor.daemon.deliveries": "brings the senders, and only commands without a daemon send by themselves",
    "shopfloor.sinks.webhook": "brings HTTP and TLS, 8 MB, which a daemon without webhooks does not pay",
    "shopfloor.app.web_address": "few requests name a page",
    "apprise": "36 MB, in the process of one message alone, and perhaps not installed",
    "shopfloor.daemon.single": "brings the loops, and only `dispatch` without a daemon needs them",
    "shopfloor.daemon.schedules": "brings time zones and cron, and only `dispatch` without a daemon needs them",
    "shopfloor.ops.schedule_tasks": "brings time zones and cron, and only `dispatch` without a daemon needs them",
    "msgspec": "7 ms of every start, and a command at an open door reads no settings",
    "tomllib": "3 ms of every start, and most homes set nothing",
    "shutil": "2 ms of every start, and only a board that is deleted needs it",
    "socket": "2 ms of every start, and only a command at an open door needs it",
    "hashlib": "2 ms of every start, and who only reads hashes nothing",
    "difflib": "5 ms of every start, and only a mistake in the configuration needs it",
}

# Files that may open a database file by other means than SQLite, with the reason why no
# connection of the same process can be open meanwhile.
READERS_OF_DATABASE_FILES: dict[str, str] = {}

BANNED_NAMES = frozenset({"util", "utils", "helpers", "common", "misc", "manager", "managers"})

Function = ast.FunctionDef | ast.AsyncFunctionDef

_SQL = re.compile(
    r"\s*(SELECT\s.+\sFROM\s|INSERT\s+INTO\s|UPDATE\s+\w+\s+SET\s|DELETE\s+FROM\s"
    r"|CREATE\s+(UNIQUE\s+)?(TABLE|INDEX|TRIGGER|VIEW|SCHEMA)\s|ALTER\s+TABLE\s"
    r"|DROP\s+(TABLE|INDEX|TRIGGER|VIEW|SCHEMA)\s|PRAGMA\s+\w|BEGIN\s+IMMEDIATE|SAVEPOINT\s+\w)",
    re.DOTALL,
)
_UNFINISHED = re.compile(r"^\W*(TODO|FIXME|XXX|HACK)\b|\b(FIXME|XXX)\b|\bTODO\b[:(]")
_ISSUE = re.compile(
    r"\b(issue|bug|ticket|pull request|PR|GH)[ -]?#?\d+|\b(fix(es|ed)?|close[sd]?|see) #\d+"
    r"|/(issues|pull)/\d+",
    re.IGNORECASE,
)
_DATABASE_FILE = re.compile(r"\.db\b|-wal\b|-shm\b|\b(db|database|wal|shm)_(path|file)\b")
_OPENERS = frozenset({"open", "read_bytes", "write_bytes", "read_text", "write_text", "copy",
                      "copy2", "copyfile", "copyfileobj", "mmap"})  # fmt: skip


@dataclass(frozen=True)
class File:
    """A Python file: its path below the repository's root, and its text."""

    path: str
    text: str

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text)

    @cached_property
    def nodes(self) -> list[ast.AST]:
        return list(ast.walk(self.tree))

    @cached_property
    def functions(self) -> list[Function]:
        return [node for node in self.nodes if isinstance(node, Function)]

    @cached_property
    def comments(self) -> list[tuple[int, str]]:
        tokens = tokenize.generate_tokens(io.StringIO(self.text).readline)
        return [
            (token.start[0], token.string) for token in tokens if token.type == tokenize.COMMENT
        ]

    @cached_property
    def docstrings(self) -> list[tuple[int, str]]:
        documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
        nodes = [node for node in self.nodes if isinstance(node, documented)]
        return [(node.body[0].lineno, text) for node in nodes if (text := ast.get_docstring(node))]

    def at(self, line: int, complaint: str) -> str:
        return f"{self.path}:{line}: {complaint}"


def a_file_has_at_most_400_lines(file: File) -> Iterator[str]:
    lines = file.text.count("\n")
    if lines > FILE_LINES:
        yield file.at(
            1, f"has {lines} lines, {FILE_LINES} are allowed; it holds more than one idea"
        )


def a_function_has_at_most_60_lines(file: File) -> Iterator[str]:
    for node in file.functions:
        lines = (node.end_lineno or node.lineno) - node.lineno + 1
        if lines > FUNCTION_LINES:
            yield file.at(node.lineno, f"{node.name} has {lines} lines of {FUNCTION_LINES} allowed")


def a_function_takes_at_most_4_positional_parameters(file: File) -> Iterator[str]:
    for node in file.functions:
        names = [argument.arg for argument in [*node.args.posonlyargs, *node.args.args]]
        own = names[1:] if names[:1] in (["self"], ["cls"]) else names
        if len(own) > POSITIONAL_PARAMETERS:
            yield file.at(node.lineno, f"{node.name} takes {len(own)} positional parameters")


def a_file_opens_with_a_docstring(file: File) -> Iterator[str]:
    if file.text.strip() and not ast.get_docstring(file.tree):
        yield file.at(1, "has no docstring that a maintainer could start from")


def only_heavy_modules_are_imported_inside_a_function(file: File) -> Iterator[str]:
    for function in file.functions:
        for node in ast.walk(function):
            if not isinstance(node, ast.Import | ast.ImportFrom):
                continue
            for name in imported_names(node):
                if not any(f"{name}.".startswith(f"{heavy}.") for heavy in HEAVY_MODULES):
                    yield file.at(node.lineno, f"imports {name} inside {function.name}")
                    break


def there_is_no_sql_outside_the_store(file: File) -> Iterator[str]:
    for line, text in strings(file.tree):
        # SQL is written in capitals or in small letters; a sentence starts with one capital.
        first = text.split(maxsplit=1)[:1]
        if first and (first[0].isupper() or first[0].islower()) and _SQL.match(text.upper()):
            yield file.at(line, f"holds SQL: {' '.join(text.split())[:50]!r}")


def there_is_nothing_left_to_do(file: File) -> Iterator[str]:
    lines = [(line, one) for line, text in file.docstrings for one in text.splitlines()]
    for line, text in [*file.comments, *lines]:
        if _UNFINISHED.search(text):
            yield file.at(line, f"is unfinished: {text.strip()!r}")


def there_are_no_issue_numbers(file: File) -> Iterator[str]:
    for line, text in [*file.comments, *file.docstrings]:
        if found := _ISSUE.search(text):
            yield file.at(line, f"refers to {found[0]!r}; write the lesson down as a test's name")


def a_module_is_named_for_what_it_is(file: File) -> Iterator[str]:
    for part in file.path.removesuffix(".py").split("/"):
        if part.lstrip("_") in BANNED_NAMES:
            yield file.at(1, f"the name {part!r} says nothing; name what the module is about")


def no_database_file_is_opened_but_by_sqlite(file: File) -> Iterator[str]:
    if file.path in READERS_OF_DATABASE_FILES:
        return
    for node in file.nodes:
        if isinstance(node, ast.Call) and called_name(node) in _OPENERS:
            text = ast.unparse(node)
            if _DATABASE_FILE.search(text):
                yield file.at(node.lineno, f"opens a database file past SQLite: {text[:60]}")


def a_test_waits_for_a_condition(file: File) -> Iterator[str]:
    for node in file.nodes:
        if isinstance(node, ast.Call) and ast.unparse(node.func) in {"sleep", "time.sleep"}:
            yield file.at(node.lineno, "sleeps; wait for the condition with eventually(...)")


def imported_names(node: ast.Import | ast.ImportFrom) -> list[str]:
    """Every module that an import may load: for `from a import b` both a and a.b."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    module = node.module or ""
    return [module, *(f"{module}.{alias.name}" for alias in node.names)]


def strings(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Every string of a file but the docstrings, formatted ones with their values left out."""
    left_out = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            left_out |= {id(part) for part in node.values}
            parts = [part.value if isinstance(part, ast.Constant) else "x" for part in node.values]
            yield node.lineno, "".join(str(part) for part in parts)
        elif isinstance(node, ast.Expr):
            left_out.add(id(node.value))
        elif (
            isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and id(node) not in left_out
        ):
            yield node.lineno, node.value


def called_name(node: ast.Call) -> str:
    """The last name of what is called: `open` for both `open(...)` and `path.open(...)`."""
    if isinstance(node.func, ast.Attribute):
        return node.func.attr
    return node.func.id if isinstance(node.func, ast.Name) else ""
