"""Boards: each a ledger of its own, with its own database, workspaces, logs and attachments."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from msgspec import Meta

from shopfloor.domain import limits
from shopfloor.domain.errors import Conflict, Invalid, NotFound, Unavailable
from shopfloor.ops.context import Around, BoardInfo
from shopfloor.ops.pages import Paged, page
from shopfloor.ops.registry import operation
from shopfloor.ops.schema import Arg, Request, Result, moment

Slug = Annotated[
    str, Arg("The board's short name: a-z, 0-9, - and _.", positional=True, min_length=1)
]


class BoardView(Result, frozen=True):
    """One board; `current` is the one used where none is named.

    `broken` says why the description of a board cannot be read; its address and its time are not known then.
    """

    slug: str
    name: str
    database: str
    default_workdir: str | None
    created_at: datetime | None
    archived: bool
    current: bool
    broken: str | None = None

    @staticmethod
    def of(info: BoardInfo) -> BoardView:
        return BoardView(
            info.slug,
            info.name,
            info.database,
            info.default_workdir,
            moment(info.created_at),
            info.archived,
            info.current,
            info.broken,
        )


class CreateBoard(Request, frozen=True, kw_only=True):
    """A new board."""

    slug: Slug
    name: Annotated[
        Annotated[str, Meta(min_length=1, max_length=limits.NAME_CHARS_MAX)] | None,
        Arg("A name for people."),
    ] = None
    database: Annotated[
        str | None,
        Arg("A PostgreSQL address for a board that several hosts share; otherwise a SQLite file."),
    ] = None
    default_workdir: Annotated[
        str | None, Arg("The directory of dir and worktree tasks that name none.")
    ] = None


@operation(
    "board.create",
    "POST /api/v1/boards",
    command="board create",
    kind="around",
    errors=(Invalid, Conflict, Unavailable),
    admin=True,
    home=True,
)
def create_board(ctx: Around, req: CreateBoard) -> BoardView:
    """Make a board, or join a shared one that other hosts have made."""
    made = ctx.service.boards.create(
        req.slug,
        name=req.name,
        database=req.database,
        default_workdir=req.default_workdir,
    )
    return BoardView.of(made)


class ListBoards(Paged, frozen=True, kw_only=True):
    """Which boards."""

    archived: Annotated[bool, Arg("Archived ones too.")] = False


@operation(
    "board.list",
    "GET /api/v1/boards",
    command="board list",
    kind="around",
    role="anyone",
    home=True,
)
def list_boards(ctx: Around, req: ListBoards) -> list[BoardView]:
    """List the boards of this home, those too whose description cannot be read."""
    found = page(ctx.service.boards.everyone(archived=req.archived), req, lambda one: one.slug)
    return [BoardView.of(info) for info in found]


class OneBoard(Request, frozen=True):
    """Which board."""

    slug: Slug


@operation(
    "board.show",
    "GET /api/v1/boards/{slug}",
    command="board show",
    kind="around",
    role="anyone",
    errors=(NotFound,),
    home=True,
)
def show_board(ctx: Around, req: OneBoard) -> BoardView:
    """Show one board."""
    return BoardView.of(ctx.service.boards.get(req.slug))


@operation(
    "board.switch",
    "POST /api/v1/boards/{slug}/switch",
    command="board switch",
    kind="around",
    errors=(NotFound, Invalid),
    home=True,
)
def switch_board(ctx: Around, req: OneBoard) -> BoardView:
    """Use this board where none is named."""
    return BoardView.of(ctx.service.boards.switch(req.slug))


class RenameBoard(Request, frozen=True):
    """Which board, and its new name."""

    slug: Slug
    name: Annotated[
        str,
        Arg(
            "The new name for people.",
            positional=True,
            min_length=1,
            max_length=limits.NAME_CHARS_MAX,
        ),
    ]


@operation(
    "board.rename",
    "POST /api/v1/boards/{slug}/rename",
    command="board rename",
    kind="around",
    errors=(NotFound,),
    admin=True,
    home=True,
)
def rename_board(ctx: Around, req: RenameBoard) -> BoardView:
    """Give a board another name for people; its short name stays."""
    return BoardView.of(ctx.service.boards.rename(req.slug, req.name))


class MoveBoard(Request, frozen=True):
    """Which board, and where its tasks work that name no directory."""

    slug: Slug
    path: Annotated[
        str | None,
        Arg(
            "The directory of dir and worktree tasks that name none; left out: none.",
            positional=True,
        ),
    ] = None


@operation(
    "board.workdir",
    "POST /api/v1/boards/{slug}/workdir",
    command="board workdir",
    kind="around",
    errors=(NotFound, Invalid),
    admin=True,
    home=True,
)
def set_workdir(ctx: Around, req: MoveBoard) -> BoardView:
    """Say where tasks work that name no directory; `dir` tasks keep theirs."""
    return BoardView.of(ctx.service.boards.set_workdir(req.slug, req.path))


class RemoveBoard(Request, frozen=True, kw_only=True):
    """Which board, and whether its files go too."""

    slug: Slug
    delete: Annotated[bool, Arg("Delete the folder instead of archiving it.")] = False


class Removed(Result, frozen=True):
    """Where the board's folder is now; empty if it was deleted."""

    slug: str
    folder: str


@operation(
    "board.remove",
    "DELETE /api/v1/boards/{slug}",
    command="board remove",
    kind="around",
    errors=(NotFound, Invalid, Conflict),
    admin=True,
    home=True,
)
def remove_board(ctx: Around, req: RemoveBoard) -> Removed:
    """Take a board out of the home: its folder is archived, or deleted when asked for."""
    return Removed(req.slug, ctx.service.boards.remove(req.slug, delete=req.delete))
