"""A board at work, in half a minute: run it with `make demo`, read it to learn the commands.

It puts a small pipeline on a board of its own (measure each folder of this project, check all files in
parallel, build an index that needs two attempts, merge it all into a report), then does what a bad
day does: kills the dispatcher, and a worker, with SIGKILL.  In the end it compares what the workers
wrote down themselves with what the board says, and fails if a promise was not kept.

Then an agent works a task with the board's tools: it asks a person, goes on with the answer, and is
reminded of its verdict.  No model and no key is needed for that: see `examples/apprentice.py`.

Everything it asks goes through the command `shop`, as you would type it; the programs of the tasks
are in `examples/workers.py`.  The board stays in `.cache/demo` until the next time.
"""

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections import Counter
from typing import NamedTuple

from examples import agent_story
from examples.stage import (
    HOME,
    ROOT,
    SHOP,
    SLOTS,
    Broken,
    Daemon,
    Row,
    Screen,
    ask,
    colour,
    fresh_home,
    say,
    shop,
    start_daemon,
)

LEDGER = HOME / "ledger.jsonl"
SOURCE = ROOT / "src" / "shopfloor"
WORKERS = [sys.executable, str(ROOT / "examples" / "workers.py")]
CHECKERS = 4


def create(title: str, *flags: str, worker: tuple[str, ...]) -> int:
    """A work order: the command after `--` does the work."""
    words = [title, "--env", f"LEDGER={LEDGER}", *flags, "--", *WORKERS, *worker]
    return int(ask("create", *words)["task"]["id"])


class Pipeline(NamedTuple):
    """The tasks that the demo has plans with, and how many there are."""

    indexing: int
    checks: frozenset[int]
    report: int
    size: int


def fill() -> Pipeline:
    """Put the pipeline on the board."""
    checked = " ".join([*WORKERS, "indexed", str(SOURCE)])
    made = [
        create(
            "index all names", "--priority", "1", "--check", checked, worker=("index", str(SOURCE))
        )
    ]
    rooms = sorted(path for path in SOURCE.iterdir() if (path / "__init__.py").exists())
    made += [create(room.name, worker=("measure", str(room))) for room in rooms]
    files = sorted(map(str, SOURCE.rglob("*.py")))
    parts = [files[part::CHECKERS] for part in range(CHECKERS)]
    checks = [create(f"check {len(part)} files", worker=("check", *part)) for part in parts]
    parents = [word for number in (*made, *checks) for word in ("--parent", str(number))]
    report = create("merge the report", *parents, worker=("merge",))
    return Pipeline(made[0], frozenset(checks), report, len(made) + len(checks) + 1)


def ledger() -> list[Row]:
    """What the workers wrote down themselves; the board never reads it."""
    return [json.loads(line) for line in LEDGER.read_text().splitlines()] if LEDGER.exists() else []


def at_work() -> list[Row]:
    """Workers that have begun and not ended, by their own word."""
    ended = {line["run"] for line in ledger() if line["word"] == "end"}
    return [line for line in ledger() if line["word"] == "start" and line["run"] not in ended]


def hold(workers: str) -> None:
    """Let workers of this kind, or all, wait as soon as they have begun."""
    (HOME / f"hold-{workers}").touch()


def let_go(workers: str) -> None:
    """Let them do their work."""
    (HOME / f"hold-{workers}").unlink()


def lives(pid: int) -> bool:
    """Whether there is a process of this number that has not ended."""
    state = subprocess.run(
        ["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return state.stdout.strip()[:1] not in ("", "Z")


def kill_the_dispatcher(daemon: Daemon, screen: Screen) -> list[Row]:
    """End `shop up` in the middle of the work; answers the workers that live through it."""
    screen.until(lambda: len(at_work()) == SLOTS, "all slots at work")
    daemon.kill()
    daemon.wait()
    survivors = [line for line in at_work() if lives(line["pid"])]
    say(f"kill -9 of the dispatcher (process {daemon.pid}), with {len(survivors)} workers at work.")
    if not survivors:
        raise Broken("no worker outlived the dispatcher")
    one = survivors[0]
    print(f"  shop why {one['task']}: {ask('why', str(one['task']))['sentence']}")
    let_go("all")
    screen.until(lambda: len(at_work()) < len(survivors), "a worker that ends by itself meanwhile")
    alive = len([line for line in survivors if lives(line["pid"])])
    print(f"  {alive} of them still work, {len(survivors) - alive} ended while nobody looked.")
    return survivors


def kill_a_worker(screen: Screen, tasks: Pipeline) -> int:
    """End a worker that has just begun; answers its run."""

    def fresh() -> list[Row]:
        return [line for line in at_work() if line["task"] in tasks.checks]

    victim = screen.until(fresh, "a worker to kill")[-1]
    os.kill(victim["pid"], signal.SIGKILL)
    let_go("check")
    say(f"kill -9 of the worker of #{victim['task']} (process {victim['pid']}).")
    return int(victim["run"])


def promises(tasks: Pipeline, survivors: list[Row], killed: int) -> list[tuple[str, bool]]:
    """What must be true now, each compared with the ledger that the workers kept."""
    rows = ask("list", "--sort", "created")["items"]
    runs = {run["id"]: run for run in ask("run", "list")}
    starts = Counter(line["run"] for line in ledger() if line["word"] == "start")
    ends = Counter(line["run"] for line in ledger() if line["word"] == "end")
    completed = Counter(run["task"] for run in runs.values() if run["outcome"] == "completed")
    outcomes = [
        run["outcome"]
        for run in sorted(runs.values(), key=lambda run: run["id"])
        if run["task"] == tasks.indexing
    ]
    ended = [run for run in runs.values() if run["outcome"] in ("completed", "check_failed")]
    return [
        (
            "every task is there, and done",
            [row["status"] for row in rows] == ["done"] * tasks.size,
        ),
        ("every run of the board began exactly once", starts == Counter(runs.keys())),
        (
            "every run that ended well ended exactly once",
            ends == Counter(run["id"] for run in ended),
        ),
        ("every task was completed exactly once", completed == Counter(row["id"] for row in rows)),
        (
            "workers outlived the dispatcher and were adopted",
            all(runs[line["run"]]["exit_code"] == 0 for line in survivors),
        ),
        ("the killed worker's run is told as crashed", runs[killed]["outcome"] == "crashed"),
        ("its task was done by a new attempt", completed[runs[killed]["task"]] == 1),
        ("a check sent one task round again", outcomes == ["check_failed", "completed"]),
        ("no process is left", not ask("run", "list", "--live")),
        ("the ledger is clean", bool(ask("fsck")["ok"])),
    ]


def table() -> None:
    """Every task with its attempts and how each of them ended."""
    outcomes: dict[int, list[str]] = {}
    for run in sorted(ask("run", "list"), key=lambda run: run["id"]):
        outcomes.setdefault(run["task"], []).append(run["outcome"])
    say(f"{'task':<5} {'title':<32} {'status':<8} attempts")
    for row in ask("list", "--sort", "created")["items"]:
        told = " → ".join(outcomes[row["id"]])
        print(
            f"#{row['id']:<4} {row['title']:<32} {colour(row['status'], row['status']):<8} {told}"
        )


def demonstrate(daemons: list[Daemon]) -> bool:
    """The whole story; answers whether every promise was kept."""
    say("A board of its own, and a dispatcher: shop init; shop up")
    shop("init")
    daemons.append(start_daemon())
    hold("all")
    hold("check")
    tasks, screen = fill(), Screen()
    say(f"{tasks.size} tasks are on the board; at most {SLOTS} are worked on at a time.")
    survivors = kill_the_dispatcher(daemons[-1], screen)
    say("A new dispatcher: shop up")
    daemons.append(start_daemon())
    killed = kill_a_worker(screen, tasks)
    screen.until(screen.all_done, "the end of all tasks")
    screen.until(lambda: not ask("run", "list", "--live"), "the end of all processes")
    table()
    say(f"What the last task kept: shop fetch {tasks.report} report.md")
    print(shop("fetch", str(tasks.report), "report.md"))
    kept = promises(tasks, survivors, killed)
    kept += agent_story.tell(screen)
    for sentence, held in kept:
        print(f"{'ok    ' if held else 'BROKEN'} {sentence}")
    say(
        "Look further:",
        f"  export SHOPFLOOR_HOME={HOME} PATH=$PATH:{SHOP.rpartition('/')[0]}",
        f"  shop list; shop show {tasks.indexing}; shop context {tasks.indexing}; shop events",
        f"  shop run show {killed}",
    )
    return all(held for _, held in kept)


def main() -> int:
    """Run the demo and leave no process behind."""
    daemons: list[Daemon] = []
    with fresh_home():
        try:
            return 0 if demonstrate(daemons) else 1
        except Broken as broken:
            print(f"\nBROKEN: {broken}", file=sys.stderr)
            return 1
        finally:
            with contextlib.suppress(Broken):
                shop("down", "--stop-workers")
            for daemon in daemons:
                daemon.kill()
                daemon.wait()


if __name__ == "__main__":
    sys.exit(main())
