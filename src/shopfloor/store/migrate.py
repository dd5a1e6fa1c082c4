"""Bring a board's schema up to this program, step by step, forward only.

A step is a file `migrations/NNNN_what.sql`.  What was applied is in `schema_step`, with the checksum
of the file (`checksums.txt` has them), because a step that was released is never edited.  Each step is
one transaction, and it looks again under its lock whether somebody else has just done it, so that two
programs may start at once.  On SQLite a board that was there before is copied to
`board.db.before-NNNN.bak` first, under the same lock.

A board whose schema is not what its steps made of it is rebuilt before anything else (`drift.py`), after a
copy of it.  Nothing is touched in a board that a newer program has written, and nothing but `create=True` turns an
empty place into a board: a file without any table counts as empty, because that is what a creation
leaves that was cut short.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Sequence
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple, TypeVar

from shopfloor.domain.errors import Conflict, Damaged, NotFound, TooNew, Unavailable
from shopfloor.store.db import Clock, Database, Probe, SchemaTx, Tx
from shopfloor.store.sqlite import SqliteDatabase, SqliteTx, fingerprint
from shopfloor.store.statements import Statements, ddl, own_statements

if TYPE_CHECKING:
    from shopfloor.store.drift import Schema

T = TypeVar("T")

FOLDER: Final = Path(__file__).parent / "migrations"
CHECKSUMS: Final = FOLDER / "checksums.txt"
PARTS: Final = FOLDER / "postgres.txt"
FINGERPRINT: Final = "schema "
FILE_NAME: Final = re.compile(r"(\d{4})_(\w+)\.sql")


class Step(NamedTuple):
    """One schema step, as the program brings it along."""

    number: int
    name: str
    checksum: str
    path: Path

    @property
    def text(self) -> str:
        """What the step does."""
        return self.path.read_text(encoding="utf-8")


class Applied(NamedTuple):
    """One schema step, as the database remembers it."""

    number: int
    name: str
    checksum: str
    applied_at: int


def own_steps() -> tuple[Step, ...]:
    """The steps of this program."""
    return _own()[0]


@cache
def _own() -> tuple[tuple[Step, ...], int]:
    """The steps, and the fingerprint of what they make; a process reads them once.

    A board that has them all needs their checksums and nothing else, so these stand in a file.
    """
    *lines, last = CHECKSUMS.read_text(encoding="utf-8").splitlines()
    steps_ = tuple(_step(FOLDER / name, checksum) for checksum, name in map(str.split, lines))
    return steps_, int(last.removeprefix(FINGERPRINT), 16)


def checksums(folder: Path = FOLDER) -> str:
    """What the file of checksums has to say: the steps as `sha256sum` says it, and what they make."""
    found = steps(folder)
    lines = "".join(f"{step.checksum}  {step.path.name}\n" for step in found)
    return f"{lines}{FINGERPRINT}{made_by(found).fingerprint:08x}\n"


def made_by(done: Sequence[Step]) -> Schema:
    """The schema that these steps make of an SQLite file."""
    from shopfloor.store.drift import schema_of  # noqa: PLC0415 - only a changed one is looked at

    table = own_statements("sqlite")["schema_step_table"].sql
    return schema_of(table, *(ddl(step.text, "sqlite") for step in done))


def differences(tx: Tx, done: tuple[Step, ...] | None = None) -> list[str]:
    """What about a board's schema is not as its steps made it; of a healthy file one checksum is compared."""
    done = done or own_steps()
    if not isinstance(tx, SqliteTx):
        from shopfloor.store.postgres_drift import strange  # noqa: PLC0415 - asked by fsck and doctor

        return strange(tx, PARTS.read_text(encoding="utf-8"))
    if done == own_steps() and fingerprint(tx) == _own()[1]:
        return []
    from shopfloor.store.drift import compared  # noqa: PLC0415 - only a changed one is looked at

    return compared(tx, made_by(done))


def steps(folder: Path = FOLDER) -> list[Step]:
    """The steps in a folder, oldest first."""
    from hashlib import sha256  # noqa: PLC0415 - nothing is hashed where nothing is changed

    found = [
        _step(path, sha256(path.read_bytes()).hexdigest()) for path in sorted(folder.glob("*.sql"))
    ]
    numbers = [step.number for step in found]
    assert numbers == list(range(1, len(found) + 1)), f"Steps are numbered 1, 2, 3 …: {numbers}"
    return found


def _step(path: Path, checksum: str) -> Step:
    match = FILE_NAME.fullmatch(path.name)
    assert match, f"{path.name} is no name of a schema step: say NNNN_what.sql."
    return Step(int(match[1]), match[2], checksum, path)


def open_sqlite(
    path: str | os.PathLike[str],
    *,
    create: bool,
    clock: Clock,
    probe: Probe | None = None,
    readonly: bool = False,
    brief: bool = False,
    known: Sequence[Step] | None = None,
    statements: Statements | None = None,
) -> SqliteDatabase:
    """The board in this file, with the schema of this program.

    `create` makes it where nothing is.  With `readonly` the schema must be this program's already;
    `brief` is for one request: the log is left to whoever opens next.
    """
    database = SqliteDatabase(
        path, clock=clock, probe=probe, readonly=readonly, brief=brief, statements=statements
    )
    try:
        if create:
            database.create()
        _bring_up(database, own_steps() if known is None else known, create=create)
    except BaseException:
        database.close()
        raise
    return database


def missing_steps(
    database: Database, known: Sequence[Step], *, create: bool, place: str
) -> list[Step]:
    """The steps that the board does not have yet; raises where it must not be touched."""
    applied, is_empty = database.read(_looked_at)
    if applied is None:
        if not is_empty:
            raise Conflict(f"{place} holds tables of another program, and no board.")
        if not create:
            raise NotFound(f"{place} holds no board yet; `shop board create` makes one.")
        return list(known)
    for step, done in zip(known, applied, strict=False):
        if (step.number, step.checksum) != (done.number, done.checksum):
            raise Conflict(
                f"Schema step {done.number} ({done.name}) of {place} is not the one that this program"
                " has; the board was made by a changed program. Use the one that made it."
            )
    if len(applied) > len(known):
        raise TooNew(
            f"{place} was written by a newer version of this program (schema step"
            f" {applied[-1].number}, {applied[-1].name}; this one knows {len(known)})."
            " Install the newer version; nothing was changed."
        )
    return list(known[len(applied) :])


def _looked_at(tx: Tx) -> tuple[list[Applied] | None, bool]:
    """What was applied, and whether nothing at all is here; at one moment, for somebody may be making it."""
    applied = applied_steps(tx)
    return applied, applied is None and tx.one("schema_table_count") == (0,)


def applied_steps(tx: Tx) -> list[Applied] | None:
    """What was applied, oldest first; None where no step ever was."""
    if tx.one("schema_step_known") == (0,):
        return None
    return [Applied._make(row) for row in tx.all("schema_step_all")]


def apply_step(tx: SchemaTx, step: Step, text: str) -> None:
    """Run a step and write down that it was run."""
    tx.run("schema_step_table")
    tx.script(text)
    tx.run(
        "schema_step_add",
        number=step.number,
        name=step.name,
        checksum=step.checksum,
        now=tx.now,
    )


def is_applied(tx: Tx, step: Step) -> bool:
    """Whether somebody else was first, asked under the step's lock."""
    return any(done.number >= step.number for done in applied_steps(tx) or ())


def _bring_up(database: SqliteDatabase, known: Sequence[Step], *, create: bool) -> None:
    pending = missing_steps(database, known, create=create, place=str(database.path))
    done = tuple(known[: len(known) - len(pending)])
    drifted = bool(done) and bool(database.read(partial(differences, done=done)))
    if (pending or drifted) and database.readonly:
        was = (
            "was written by an older program"
            if pending
            else "has not the schema that it was made with"
        )
        raise Unavailable(
            f"{database.path} {was} and is opened for reading only;"
            " any command that writes brings it up to date."
        )
    if drifted:
        database.alter(partial(_rebuild, database, done))
    # What is made just now, step after step, holds nothing that a copy would keep.
    is_new = pending[:1] == list(known[:1])
    for step in pending:
        database.alter(partial(_apply_sqlite, database, step, is_new=is_new))


def _rebuild(database: SqliteDatabase, done: tuple[Step, ...], tx: SchemaTx) -> None:
    """Rebuild, and keep a copy of the board as it was; look again, for somebody else may have done it."""
    from shopfloor.store.drift import rebuild  # noqa: PLC0415 - only a changed one is rebuilt

    assert isinstance(tx, SqliteTx)
    found = differences(tx, done)
    if not found:
        return
    path = database.path
    try:
        rebuild(tx, made_by(done))
    except Damaged as wrong:
        raise Damaged(
            f"The schema of {path} was changed ({found[0]}), and it cannot be rebuilt: {wrong.message}."
            " It was left as it is; mend that, or restore a backup.",
            detail={"path": str(path), "differences": found},
        ) from wrong
    stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(tx.now / 1000))
    # The copy is read beside this transaction, so it has the board as it was.
    database.backup(path.with_name(f"{path.name}.before-rebuild-{stamp}.bak"))


def _apply_sqlite(database: SqliteDatabase, step: Step, tx: SchemaTx, *, is_new: bool) -> None:
    if is_applied(tx, step):
        return
    if not is_new:
        path = database.path
        database.backup(path.with_name(f"{path.name}.before-{step.number:04d}.bak"))
    apply_step(tx, step, ddl(step.text, "sqlite"))
