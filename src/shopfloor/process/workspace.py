"""The folder in which a worker works: made or checked before its start.

scratch: made below the board's `workspaces/`, removed later (`scratch.py`).
dir: a folder of the user's, by absolute path; never made, never removed.
worktree: a git worktree; made when it is missing, used again when it is there, never removed.

Whatever cannot be used is refused in one sentence; nothing that exists is changed or overwritten.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from shopfloor.domain.errors import Invalid, Refused
from shopfloor.process.files import safe_name
from shopfloor.process.git import Git

# In the worktree's folder of git's own: says that this program made the worktree, so that a later
# attempt finds an earlier one's unfinished work and goes on with it.
OURS = "shopfloor"
WORKTREES = ".worktrees"
BRANCH_PREFIX = "shop/"


class Workspace(NamedTuple):
    """A folder that is ready; `made` says that it was not there before."""

    kind: str
    path: str
    branch: str | None
    made: bool


def prepare(
    kind: str,
    *,
    workspaces: Path,
    name: str,
    path: str | None = None,
    repository: str | None = None,
    branch: str | None = None,
    environment: Mapping[str, str] | None = None,
) -> Workspace:
    """Make the workspace of one task ready; raises Refused or Invalid with the reason.

    `name` is the task's, and names what is made.  `environment` is what git runs with.
    """
    match kind:
        case "scratch":
            return prepare_scratch(workspaces, name)
        case "dir" if path:
            return prepare_dir(path)
        case "worktree" if repository or path:
            return prepare_worktree(
                repository or str(path), name, path=path, branch=branch, environment=environment
            )
        case "dir" | "worktree":
            raise Invalid(f"A {kind} workspace needs a path, and neither task nor board names one.")
        case _:
            raise Invalid(f"There is no workspace kind {kind!r}, only scratch, dir and worktree.")


def prepare_scratch(workspaces: Path, name: str) -> Workspace:
    """Make a task's own folder, or find it as an earlier attempt left it."""
    place = workspaces / safe_name(name)
    try:
        made = _made(place)
    except OSError as error:
        raise Refused(f"The scratch folder {place} could not be made: {error.strerror}.") from error
    if not made and (place.is_symlink() or not place.is_dir()):
        raise Refused(
            f"The scratch folder {place} is not a folder of its own; remove what is there."
        )
    return Workspace("scratch", str(place), None, made)


def _made(place: Path) -> bool:
    """Make a folder, and those above it where they are missing; False when something is there."""
    try:
        place.mkdir(mode=0o700)
    except FileNotFoundError:
        place.parent.mkdir(parents=True, exist_ok=True)
        place.mkdir(mode=0o700)
    except FileExistsError:
        return False
    return True


def prepare_dir(path: str) -> Workspace:
    """Check a folder of the user's."""
    place = Path(path)
    if not place.is_absolute():
        raise Invalid(f"The folder {path!r} is not an absolute path; write it from the root on.")
    if not place.is_dir():
        there = "is not a folder" if _there(place) else "does not exist"
        raise Refused(
            f"The folder {path} {there}; a dir workspace is never made, make it yourself."
        )
    return Workspace("dir", str(place), None, made=False)


def prepare_worktree(
    repository: str,
    name: str,
    *,
    path: str | None = None,
    branch: str | None = None,
    environment: Mapping[str, str] | None = None,
) -> Workspace:
    """Make a git worktree, or find the one that is there.

    Without a path it is made in the repository's `.worktrees/`, without a branch on one named
    after the task, which is made from the present commit when it is missing.
    """
    top = _repository(repository, environment)
    place = Path(path) if path is not None else top / WORKTREES / safe_name(name)
    if not place.is_absolute():
        raise Invalid(f"The worktree's path {path!r} is not absolute; write it from the root on.")
    git = Git(top, environment)
    wanted = branch or BRANCH_PREFIX + safe_name(name).replace(" ", "-")
    if git.ask("check-ref-format", "--branch", wanted) is None:
        raise Invalid(f"{wanted!r} is not a name that git takes for a branch.")
    known = _worktrees(git)
    if _there(place) and not _is_empty_folder(place):
        found = _found(place, known, git)
        if branch is not None and found != branch:
            raise Refused(
                f"The worktree {place} is on {found or 'no branch'}, not on {branch}; "
                "switch it over or name another path."
            )
        return Workspace("worktree", str(place), found, made=False)
    if path is None:
        _make_hidden_folder(place.parent)
    if place.resolve() in known:
        # Git still lists a worktree whose folder somebody has deleted.
        git.do(
            f"The lost worktree {place} could not be forgotten",
            "worktree",
            "remove",
            "--force",
            str(place),
        )
    _add(git, place, wanted)
    return Workspace("worktree", str(place), wanted, made=True)


def _repository(repository: str, environment: Mapping[str, str] | None) -> Path:
    """Return the main checkout that this path belongs to; also from within a worktree of it."""
    start = Path(repository)
    if not start.is_absolute():
        raise Invalid(f"The repository {repository!r} is not an absolute path.")
    while not start.is_dir() and start != start.parent:
        start = start.parent
    common = Git(start, environment).do(
        f"{repository} does not belong to a git repository",
        "rev-parse", "--path-format=absolute", "--git-common-dir",
    )  # fmt: skip
    folder = Path(common)
    return folder.parent if folder.name == ".git" else folder


def _worktrees(git: Git) -> dict[Path, str | None]:
    """Return the repository's worktrees and their branches, the main checkout first."""
    found: dict[Path, str | None] = {}
    place = Path()
    listed = git.do("The worktrees could not be listed", "worktree", "list", "--porcelain")
    for line in listed.splitlines():
        word, _, rest = line.partition(" ")
        if word == "worktree":
            place = Path(rest).resolve()
            found[place] = None
        elif word == "branch":
            found[place] = rest.removeprefix("refs/heads/")
    return found


def _found(place: Path, known: dict[Path, str | None], git: Git) -> str | None:
    """Return the branch of a worktree that may be used again; Refused for anything else."""
    real = place.resolve()
    if real == next(iter(known), None):
        raise Refused(
            f"{place} is the main checkout of its repository; use a dir workspace to work there."
        )
    if real not in known or place.is_symlink():
        raise Refused(
            f"{place} exists and is not a worktree of {git.folder}; move it away or name another path."
        )
    inside = git.at(place)
    marked = Path(inside.do(f"{place} cannot be used", "rev-parse", "--absolute-git-dir")) / OURS
    if not marked.exists() and inside.do(f"{place} cannot be used", "status", "--porcelain"):
        raise Refused(
            f"The worktree {place} holds changes that are not committed and that no task made; "
            "commit or stash them, or name another path."
        )
    return known[real]


def _add(git: Git, place: Path, branch: str) -> None:
    there = git.ask("show-ref", "--verify", "--quiet", f"refs/heads/{branch}") is not None
    words = [str(place), branch] if there else ["-b", branch, str(place)]
    git.do(f"The worktree {place} could not be made", "worktree", "add", "--quiet", *words)
    marked = git.at(place).do("The worktree cannot be used", "rev-parse", "--absolute-git-dir")
    (Path(marked) / OURS).write_text("made for a task\n", encoding="utf-8")


def _make_hidden_folder(folder: Path) -> None:
    """Make the folder of worktrees inside a repository, ignored by that repository."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        ignore = folder / ".gitignore"
        if not ignore.exists():
            ignore.write_text("*\n", encoding="utf-8")
    except OSError as error:
        raise Refused(f"The folder {folder} could not be made: {error.strerror}.") from error


def _there(place: Path) -> bool:
    """Say whether anything has this name, a dangling symbolic link too."""
    return place.is_symlink() or place.exists()


def _is_empty_folder(place: Path) -> bool:
    return place.is_dir() and not place.is_symlink() and next(place.iterdir(), None) is None
