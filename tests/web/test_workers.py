"""What cards say of the workers behind them: what they have changed, and that one is still leaving."""

import pytest
from playwright.sync_api import expect

from tests.support.browser import card, card_in
from tests.support.waiting import eventually

# A worker that does not hear a stop, and waits until it is let go.
STUBBORN = "trap '' TERM; touch started; until [ -e go ]; do sleep 0.05; done"
CONFIGURATION = f"""
[web]
port = 0
[profiles.stubborn]
argv = ["sh", "-c", "{STUBBORN}"]
grace = "1h"
"""


@pytest.fixture(scope="module")
def configuration() -> str:
    return CONFIGURATION


def test_a_card_says_that_the_last_worker_is_leaving_only_as_long_as_it_does(board, page, tmp_path):
    task = board.create("Leave", assignee="stubborn", workspace=f"dir:{tmp_path}")
    expect(card_in(page, task, "running")).to_be_visible()
    eventually((tmp_path / "started").exists)
    board.ask("dispatch.pause", reason="lunch")
    board.ask("task.reclaim", id=task)
    expect(card_in(page, task, "ready")).to_contain_text("The last worker is still leaving")
    (tmp_path / "go").touch()
    expect(card(page, task)).to_contain_text("The board is paused: lunch")
    expect(card(page, task).locator(".card-now")).to_have_count(0)


def test_a_card_that_is_over_says_no_more_that_its_worker_leaves_when_it_has(board, page, tmp_path):
    task = board.create("Leave", assignee="stubborn", workspace=f"dir:{tmp_path}")
    expect(card_in(page, task, "running")).to_be_visible()
    eventually((tmp_path / "started").exists)
    board.ask("task.cancel", id=task)
    page.get_by_role("button", name="Cancelled, 1 task; show").click()
    expect(card_in(page, task, "cancelled")).to_contain_text("leaving")
    (tmp_path / "go").touch()
    expect(card(page, task).locator(".card-now")).to_have_count(0)


def test_a_card_with_a_worktree_tells_its_branch_and_the_lines_added_and_removed(board, tmp_path):
    repo = tmp_path / "repo"
    repo.mkdir()
    (repo / "plan.txt").write_text("one\ntwo\n")
    git = ["git", "-C", str(repo), "-c", "user.name=a", "-c", "user.email=a@b"]
    for words in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "first"]):
        assert board.home.run([*git, *words]).returncode == 0
    script = (
        f"printf 'one\\nthree\\nfour\\n' > plan.txt; touch {tmp_path / 'started'}; "
        f"until [ -e {tmp_path / 'go'} ]; do sleep 0.05; done"
    )
    task = board.create(
        "Change",
        command={"argv": ["sh", "-c", script]},
        workspace=f"worktree:{repo}/.worktrees/t",
        branch="better",
    )
    eventually((tmp_path / "started").exists)
    page = board.open()
    expect(card_in(page, task, "running").locator(".card-branch")).to_contain_text("better")
    expect(card(page, task).locator(".is-added")).to_have_text("+2")
    expect(card(page, task).locator(".is-removed")).to_have_text("\N{MINUS SIGN}1")
    (tmp_path / "go").touch()
    expect(card_in(page, task, "done")).to_be_visible()
