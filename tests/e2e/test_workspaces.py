"""Where workers work, what they find there and around them, and what they may ask of the board."""

import subprocess

import pytest

from shopfloor.domain.errors import Forbidden, Stale
from tests.support.home import Worker
from tests.support.waiting import eventually

NAMES = {
    "SHOPFLOOR_HOME", "SHOPFLOOR_BOARD", "SHOPFLOOR_TASK", "SHOPFLOOR_RUN", "SHOPFLOOR_TOKEN",
    "SHOPFLOOR_SOCKET", "SHOPFLOOR_WORKSPACE", "SHOPFLOOR_ATTEMPT", "SHOPFLOOR_CONTEXT",
    "SHOPFLOOR_MARKER",
}  # fmt: skip


def log(home, task):
    return home.ask("task.log", id=task)["text"]


def scratch(home, task):
    return home.board() / "workspaces" / str(task)


def test_a_scratch_folder_stays_through_retries_and_goes_when_the_task_is_done(home, notes):
    home.up()
    task = home.create_command(notes.worker("list", "touch:from-the-first", "fail-first:1"))
    home.becomes(task, "done")
    assert log(home, task).split() == ["from-the-first"]
    eventually(lambda: not scratch(home, task).exists())


def test_a_scratch_folder_stays_while_a_process_of_the_done_task_lives(home, notes, tmp_path):
    home.up()
    task = home.create_command(notes.worker("shop:complete", f"wait:{tmp_path}/go", "touch:late"))
    home.becomes(task, "done")
    assert scratch(home, task).is_dir()
    (tmp_path / "go").touch()
    home.is_over(task)
    eventually(lambda: not scratch(home, task).exists())


@pytest.mark.parametrize(("op", "args"), [("task.cancel", {}), ("task.block", {"reason": "why"})])
def test_a_scratch_folder_stays_when_the_task_is_blocked_or_cancelled(home, notes, op, args):
    home.up()
    task = home.create_command(notes.worker("touch:kept", "sleep"))
    eventually((scratch(home, task) / "kept").exists)
    home.ask(op, id=task, **args)
    home.is_over(task)
    assert (scratch(home, task) / "kept").exists()
    home.ask("task.archive", id=task)
    eventually(lambda: not scratch(home, task).exists())


def test_a_scratch_folder_goes_with_a_task_completed_by_hand(home, notes):
    home.up()
    running = home.create_command(notes.worker("touch:kept", "sleep"))
    failed = home.create_command(notes.worker("touch:kept", "exit:1"), max_attempts=1)
    eventually((scratch(home, running) / "kept").exists)
    home.becomes(failed, "blocked")
    assert scratch(home, failed).exists()
    for task in (running, failed):
        home.ask("task.complete", id=task)
        eventually(lambda task=task: not scratch(home, task).exists())


def test_the_scratch_folders_of_tasks_that_ended_without_a_dispatcher_go_at_its_next_start(
    home, notes, tmp_path
):
    first = home.up()
    task = home.create_command(notes.worker(f"wait:{tmp_path}/go"))
    eventually(lambda: notes.count("start"))
    first.kill()
    (tmp_path / "go").touch()
    home.up()
    home.becomes(task, "done")
    eventually(lambda: not scratch(home, task).exists())


def test_a_folder_of_the_users_is_never_removed(home, notes, tmp_path):
    home.up()
    mine = tmp_path / "mine"
    mine.mkdir()
    task = home.create_command(notes.worker("touch:made"), workspace=f"dir:{mine}")
    home.becomes(task, "done")
    home.is_over(task)
    home.ask("task.archive", id=task)
    home.ask("task.delete", id=task)
    assert (mine / "made").exists()


def git(folder, *words):
    done = subprocess.run(
        ["git", "-c", "user.name=ann", "-c", "user.email=ann@example.org", *words],
        cwd=folder, check=True, capture_output=True, text=True,
    )  # fmt: skip
    return done.stdout


def test_a_worktree_is_made_with_its_branch_and_stays(home, notes, tmp_path):
    repository = tmp_path / "repository"
    repository.mkdir()
    git(repository, "init", "-q", "-b", "main")
    git(repository, "commit", "-q", "--allow-empty", "-m", "first")
    home.up()
    home.ask("board.create", slug="code", default_workdir=str(repository))
    task = home.ask(
        "task.create", board="code", title="change it", workspace="worktree", branch="shop/change",
        command={"argv": notes.worker("touch:new")},
    )["task"]["id"]  # fmt: skip
    home.becomes(task, "done", board="code")
    home.is_over(task, board="code")
    (run,) = home.runs(task, board="code")
    assert "shop/change" in git(repository, "branch", "--all")
    assert "new" in git(run["workspace"], "status", "--porcelain")
    assert git(run["workspace"], "branch", "--show-current").strip() == "shop/change"


def test_a_worktree_that_cannot_be_had_fails_its_start_and_stops_no_other(home, notes, tmp_path):
    home.up()
    bad = home.create_command(["true"], workspace=f"worktree:{tmp_path}/none", max_attempts=1)
    good = home.create_command(notes.worker())
    home.becomes(good, "done")
    home.becomes(bad, "blocked")
    assert home.outcomes(bad) == ["spawn_failed"]


def test_a_worker_gets_the_names_it_needs_and_no_secret_of_the_dispatchers(home):
    home.up(MY_API_KEY="hunter2", LANG="C.UTF-8")
    task = home.create(command={"argv": ["sh", "-c", "env"], "env": {"ASKED": "for"}})
    home.becomes(task, "done")
    env = dict(line.split("=", 1) for line in log(home, task).splitlines())
    assert {name for name in env if name.startswith("SHOPFLOOR_")} == NAMES
    assert "MY_API_KEY" not in env
    assert "hunter2" not in log(home, task)
    assert (env["ASKED"], env["LANG"]) == ("for", "C.UTF-8")
    assert env["SHOPFLOOR_TASK"] == str(task)
    assert env["SHOPFLOOR_WORKSPACE"] == env["PWD"] == str(scratch(home, task))


def test_a_profiles_environment_reaches_its_workers_and_its_secrets_do_not_reach_the_log(home):
    home.configure(
        '[profiles.keyed]\nargv = ["sh", "-c", "test $KEY = hunter2 && echo key $KEY"]\n'
        'env = { KEY = "hunter2" }\nsecrets = ["KEY"]\n'
    )
    home.up()
    task = home.create(assignee="keyed", max_attempts=1)
    home.becomes(task, "done")
    assert "key" in log(home, task)
    assert "hunter2" not in log(home, task)


def test_a_worker_reports_with_the_command_line(home, notes, tmp_path):
    home.up()
    steps = ("shop:heartbeat halfway", "shop:comment found-it", f"wait:{tmp_path}/go")
    task = home.create_command(notes.worker(*steps, "shop:complete --summary all-done"))
    eventually(lambda: home.show(task)["comments"])
    (run,) = home.runs(task)
    assert run["heartbeat_note"] == "halfway"
    (comment,) = home.show(task)["comments"]
    assert (comment["body"], comment["run"]) == ("found-it", run["id"])
    (tmp_path / "go").touch()
    assert home.becomes(task, "done")["summary"] == "all-done"
    blocking = home.create_command(notes.worker("shop:block no-key --kind capability"))
    shown = home.becomes(blocking, "blocked")
    assert (shown["block_reason"], shown["block_kind"]) == ("no-key", "capability")


def test_a_worker_cannot_touch_another_task(home, notes, tmp_path):
    home.up()
    other = home.create("another task", initial_status="blocked")
    task = home.create_command(
        notes.worker(f"shop:complete {other}", f"shop:comment {other} mine", f"wait:{tmp_path}/go")
    )
    eventually(lambda: "shop comment ended" in log(home, task))
    assert log(home, task).count("ended with 0") == 0
    token = home.execute("SELECT token FROM run WHERE gone_at IS NULL")[0][0]
    worker = Worker(task, home.runs(task)[0]["id"], token)
    for op, args in (
        ("task.block", {"reason": "mine"}),
        ("task.heartbeat", {}),
        ("task.complete", {}),
        ("task.cancel", {}),
        ("task.edit", {"title": "mine"}),
        ("dispatch.pause", None),
    ):
        asked = {} if args is None else {"id": other, **args}
        assert isinstance(home.refused(op, worker=worker, **asked), Forbidden | Stale), op
    assert home.status(other) == "blocked"
    assert home.show(other)["comments"] == []
    (tmp_path / "go").touch()
    home.becomes(task, "done")


def test_the_next_worker_finds_in_its_context_what_the_one_before_left(home, notes, tmp_path):
    home.up()
    parent = home.create_command(notes.worker("shop:complete --summary parent-was-here"))
    script = "cat $SHOPFLOOR_CONTEXT; test $SHOPFLOOR_ATTEMPT = 2 || { shop comment $SHOPFLOOR_TASK left-this; exit 7; }"
    task = home.create_command(
        ["sh", "-c", script], title="look", body="the body", parents=[parent]
    )
    home.becomes(task, "done")
    second = log(home, task).split("look", 2)[2]
    for words in ("the body", "parent-was-here", "left-this", "exit status 7"):
        assert words in second
