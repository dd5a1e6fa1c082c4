"""Files kept with a task, its log, and the context that its worker got."""

from __future__ import annotations

import base64
from typing import Annotated

from msgspec import Meta

from shopfloor.domain import limits
from shopfloor.domain.errors import (
    Forbidden,
    Invalid,
    LimitReached,
    NotFound,
    Refused,
    Stale,
    Unavailable,
)
from shopfloor.domain.lifecycle import Status
from shopfloor.kernel import notes as noting
from shopfloor.kernel.claim import profile_of
from shopfloor.kernel.context import CONTEXT_LOG_BYTES, compose
from shopfloor.kernel.load import current_run, enter, load, whole
from shopfloor.kernel.resume import session_for
from shopfloor.ops.context import Around, Stored
from shopfloor.ops.fields import Id
from shopfloor.ops.pages import Paged, page
from shopfloor.ops.registry import operation
from shopfloor.ops.schema import Arg, Request, Result
from shopfloor.ops.views import AttachmentView
from shopfloor.store import notes, runs
from shopfloor.store.db import Tx


class AttachFile(Request, frozen=True):
    """The file: its name and its bytes in base64, or where it is in the web."""

    id: Id
    name: Annotated[
        Annotated[str, Meta(min_length=1, max_length=255)] | None,
        Arg("The file's name; from the web, its own if left out."),
    ] = None
    content: Annotated[str | None, Arg("The bytes, in base64.")] = None
    url: Annotated[
        Annotated[str, Meta(min_length=1, max_length=limits.URL_CHARS_MAX)] | None,
        Arg("Instead of bytes, a public address that it is fetched from: http:// or https://."),
    ] = None


@operation(
    "task.attach",
    "POST /api/v1/tasks/{id}/attachments",
    command="attach",
    kind="around",
    role="worker",
    errors=(NotFound, Invalid, LimitReached, Forbidden, Stale, Refused, Unavailable),
    tools=("worker", "reviewer"),
    when="Use it for results that must outlive the workspace: reports, patches, pictures.",
)
def attach(ctx: Around, req: AttachFile) -> AttachmentView:
    """Keep a file with a task, 25 MB at most; a name that is taken gets a suffix.

    It is sent, or fetched from a public address of the web within a minute.
    """
    data = _bytes_of(req)
    before: AttachmentView | None = ctx.seen()
    if before is not None:
        return before
    taken = _enter(ctx, req.id)
    files = ctx.service.files
    if data is None:
        stored = _fetched(ctx, req, taken)
    else:
        stored = files.store(req.id, req.name or "", data, taken)

    def work(tx: Tx, _kept: list[Stored]) -> AttachmentView:
        added = noting.attach(
            tx, ctx.caller, req.id, name=stored.name, size=stored.size, sha256=stored.sha256
        )
        return AttachmentView.of(added, ctx.service.files.path(req.id, added.name))

    return ctx.commit_with(req.id, [stored], work)


def _fetched(ctx: Around, req: AttachFile, taken: frozenset[str]) -> Stored:
    """What is at the address, as a file; nothing is left of it where the board is not had again.

    A stranger's server may take a minute, and who waits for the board does not wait for it.
    """
    stored = None
    try:
        with ctx.service.away():
            stored = ctx.service.files.store_from(req.id, req.url or "", req.name, taken)
    except Unavailable:
        if stored is not None:
            ctx.service.files.remove(req.id, stored.name)
        raise
    return stored


def _bytes_of(req: AttachFile) -> bytes | None:
    """The bytes that were sent; None where they are to be fetched."""
    if (req.content is None) == (req.url is None):
        raise Invalid("an attachment has either its bytes in `content`, or a `url` to fetch")
    if req.content is None:
        return None
    if req.name is None:
        raise Invalid("an attachment that is sent needs a `name`")
    try:
        data = base64.b64decode(req.content, validate=True)
    except ValueError:
        raise Invalid("the content of an attachment must be base64") from None
    if len(data) > limits.ATTACHMENT_BYTES_MAX:
        most = limits.ATTACHMENT_BYTES_MAX // (1024 * 1024)
        raise LimitReached(
            f"an attachment has at most {most} MB, and {req.name!r} has {len(data)} bytes"
        )
    return data


def _enter(ctx: Around, task_id: int) -> frozenset[str]:
    """The names that are taken; refuse who may not attach before something is stored or fetched for him."""

    def look(tx: Tx) -> frozenset[str]:
        enter(tx, ctx.caller, task_id, "attach a file to")
        return notes.attachment_names(tx, task_id)

    try:
        return ctx.read(look)
    except (Forbidden, Stale):
        # Once more in a transaction that writes, which takes the refusal down.
        ctx.commit(look)
        raise


class TaskFile(Request, frozen=True):
    """Which file of which task."""

    id: Id
    name: Annotated[str, Arg("The file's name.", positional=True, min_length=1, max_length=255)]


class TaskFiles(Request, frozen=True):
    """Whose files."""

    id: Id


class ListFiles(Paged, frozen=True, kw_only=True):
    """Whose files."""

    id: Id


class FileContent(Result, frozen=True):
    """A file's bytes in base64."""

    name: str
    content: str


@operation(
    "task.attachments",
    "GET /api/v1/tasks/{id}/attachments",
    command="attachments",
    kind="around",
    role="anyone",
    errors=(NotFound,),
    tools=("worker", "reviewer"),
    when="Use it to find files that were handed to you; read them at their paths.",
)
def attachments(ctx: Around, req: ListFiles) -> list[AttachmentView]:
    """List the files kept with a task, with their absolute paths."""

    def look(tx: Tx) -> list[AttachmentView]:
        load(tx, req.id)
        found = page(notes.attachment_of_task(tx, req.id), req, lambda one: one.name)
        return [AttachmentView.of(one, ctx.service.files.path(req.id, one.name)) for one in found]

    return ctx.read(look)


@operation(
    "task.fetch",
    "GET /api/v1/tasks/{id}/attachments/{name}",
    command="fetch",
    kind="around",
    role="anyone",
    errors=(NotFound,),
)
def fetch(ctx: Around, req: TaskFile) -> FileContent:
    """Give back a file kept with a task."""

    def known(tx: Tx) -> None:
        load(tx, req.id)
        if notes.attachment_get(tx, req.id, req.name) is None:
            raise NotFound(
                f"#{req.id} has no attachment {req.name!r}; `shop attachments {req.id}` lists them"
            )

    ctx.read(known)
    data = ctx.service.files.fetch(req.id, req.name)
    return FileContent(req.name, base64.b64encode(data).decode())


@operation(
    "task.detach",
    "DELETE /api/v1/tasks/{id}/attachments/{name}",
    command="detach",
    kind="around",
    errors=(NotFound,),
)
def detach(ctx: Around, req: TaskFile) -> AttachmentView:
    """Remove a file kept with a task: its row and its bytes."""

    def work(tx: Tx) -> AttachmentView:
        gone = noting.detach(tx, ctx.caller, req.id, req.name)
        return AttachmentView.of(gone, ctx.service.files.path(req.id, gone.name))

    done: AttachmentView = ctx.commit(work)
    ctx.service.files.remove(req.id, req.name)
    return done


RUNS_LOOKED_AT = 20


class ReadLog(Request, frozen=True, kw_only=True):
    """Whose log, and how much of its end."""

    id: Id
    tail_bytes: Annotated[
        int,
        Arg("At most so many bytes of its end.", flag="--tail", ge=1, le=limits.LOG_TAIL_BYTES_MAX),
    ] = limits.LOG_TAIL_BYTES_DEFAULT


class Log(Result, frozen=True):
    """The end of a task's log; where there is none on this host, `exists` is false and `note` says why."""

    task: int
    exists: bool
    text: str
    truncated: bool
    size: int
    path: str
    note: str | None = None


@operation(
    "task.log",
    "GET /api/v1/tasks/{id}/log",
    command="log",
    kind="around",
    role="anyone",
    errors=(NotFound,),
    tools=("reviewer", "orchestrator"),
    when="Use it to see how an attempt went.",
)
def log(ctx: Around, req: ReadLog) -> Log:
    """Read the end of what a task's workers wrote."""
    ctx.read(lambda tx: load(tx, req.id))
    tail = ctx.service.files.log_tail(req.id, req.tail_bytes)
    note = None
    if not tail.exists:
        note = ctx.read(lambda tx: _no_log(tx, req.id, ctx.service.surroundings(tx).host))
    return Log(req.id, tail.exists, tail.text, tail.truncated, tail.size, tail.path, note)


def _no_log(tx: Tx, task_id: int, host: str) -> str:
    """Why a task has no log on this host."""
    places = [run.host for run in runs.of_task(tx, task_id, RUNS_LOOKED_AT) if run.started_at]
    elsewhere = next((place for place in places if place and place != host), None)
    if elsewhere is not None:
        return f"it ran on {elsewhere}, which has its log"
    return "its workers wrote nothing" if places else "it never ran"


class ContextText(Result, frozen=True):
    """What a worker is told; a session that goes on is told the news, and can read the rest."""

    task: int
    text: str
    session: str | None = None
    news: str | None = None


@operation(
    "task.context",
    "GET /api/v1/tasks/{id}/context",
    command="context",
    kind="around",
    role="anyone",
    errors=(NotFound,),
    tools=("worker", "reviewer"),
    when="Use it to read your whole assignment again.",
)
def context(ctx: Around, req: TaskFiles) -> ContextText:
    """Print what the worker of a task's current or next attempt is told."""

    def look(tx: Tx) -> ContextText:
        task = load(tx, req.id)
        run = current_run(tx, task)
        role = "reviewer" if task.status == Status.REVIEW else "worker"
        role, profile = (
            (role, profile_of(task.lane, role, ctx.settings))
            if run is None
            else (run.role, whole(tx, run).profile)
        )
        resumed = None if profile is None else session_for(tx, task, profile, role)
        session, news = resumed or (None, None)
        written = None if run is None else ctx.service.files.context(run.id)
        files = ctx.service.files
        text = written or compose(
            tx, task, files.path, lambda number: files.log_tail(number, CONTEXT_LOG_BYTES).text
        )
        return ContextText(req.id, text, session, news)

    return ctx.read(look)
