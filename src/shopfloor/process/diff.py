"""What was changed in a git worktree since its branch left the repository's own: committed or not.

Git compares by an index of its own, so what the worker staged stays as it is, and files that git does not
know yet are part of the change.  A worker may write to the repository's configuration, so nothing that a
configuration could name is run: no hooks, no file watcher, no diff programs.
"""

import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from shopfloor.domain.errors import NotFound
from shopfloor.domain.limits import DIFF_BYTES_MAX
from shopfloor.process.git import Git

NOTHING_RUNS = ("-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null")
PLAIN = ("--no-ext-diff", "--no-textconv", "--no-color", "--find-renames")


class WorktreeChange(NamedTuple):
    """The change as a patch or as its statistics; `base` is the commit that it is told against."""

    base: str
    text: str
    truncated: bool


def worktree_change(
    workspace: str, environment: Mapping[str, str], *, stat: bool
) -> WorktreeChange:
    """What was changed in a worktree; raises NotFound where it is gone, Refused with git's own words."""
    folder = Path(workspace)
    if not folder.is_dir():
        raise NotFound(f"the worktree {workspace} is not there any more on this host")
    git = Git(folder, environment)
    purpose = f"The change in {workspace} cannot be told"
    common = git.do(purpose, "rev-parse", "--path-format=absolute", "--git-common-dir")
    main = git.do(purpose, f"--git-dir={common}", "rev-parse", "HEAD")
    base = git.do(purpose, "merge-base", "HEAD", main)
    with tempfile.TemporaryDirectory(prefix="shop-diff-") as place:
        index = Path(place) / "index"
        kept = Path(git.do(purpose, "rev-parse", "--path-format=absolute", "--git-path", "index"))
        if kept.is_file():
            shutil.copyfile(kept, index)
        beside = git.with_index(index)
        beside.do(purpose, *NOTHING_RUNS, "add", "--intent-to-add", "--all")
        shape = ("--stat=100",) if stat else ("--patch",)
        text = beside.do(purpose, *NOTHING_RUNS, "diff", *shape, *PLAIN, base, "--")
    whole = text.encode(errors="replace")
    if len(whole) <= DIFF_BYTES_MAX:
        return WorktreeChange(base, whole.decode(), truncated=False)
    return WorktreeChange(base, whole[:DIFF_BYTES_MAX].decode(errors="ignore"), truncated=True)
