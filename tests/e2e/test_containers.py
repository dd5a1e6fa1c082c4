"""Orders in real containers: exact ends, one warm container, stops that reach inside, nothing left behind."""

import json
import os
import signal

import pytest

from shopfloor.process import proc
from tests.support.container_orders import (
    LIMIT_S,
    container_of,
    enqueue,
    log,
    over,
    receipt,
    running,
    show,
)
from tests.support.containers import an_engine, home_with
from tests.support.waiting import eventually

SHELLS = {"ash": None, "dash": "/bin/dash", "bash": "/bin/bash"}
# Longer than any test takes.
LONG = "86400"


@pytest.fixture(scope="module")
def engine():
    yield from an_engine()


@pytest.fixture
def home(tmp_path, engine):
    yield from home_with(engine, tmp_path / "h")


@pytest.mark.parametrize("shell", SHELLS)
def test_output_exit_status_and_signal_are_exact_whatever_shell_the_image_has(home, engine, shell):
    path = SHELLS[shell]
    if path is not None:
        engine.add_image(shell, {"sh": path})
    home.up()
    image = "box" if path is None else shell
    ends = {
        "echo out; echo err >&2; exit 3": ("out\nerr\n", 3, None),
        "exit 137": ("", 137, None),
        "kill -KILL $$": ("", None, 9),
        "kill -TERM $$": ("", None, 15),
        "seq 3": ("1\n2\n3\n", 0, None),
    }
    orders = {enqueue(home, "sh", "-c", words, image=image): end for words, end in ends.items()}
    for order, (text, code, number) in orders.items():
        last = over(home, order)["attempts"][0]
        assert (log(home, order), last["exit_code"], last["exit_signal"]) == (text, code, number)
        assert last["exit_record"]["runtime"] == f"container:{image}"


def test_one_warm_container_serves_one_order_after_the_other(home):
    home.up()
    orders = []
    for n in range(3):
        orders.append(enqueue(home, "sh", "-c", f"ps; setsid sleep {LONG}{n} >/dev/null 2>&1 &"))
        over(home, orders[-1])
    assert len({container_of(home, order) for order in orders}) == 1
    lines = [line for order in orders for line in log(home, order).splitlines()]
    assert [line for line in lines if LONG in line and "sh -c" not in line] == []


def test_orders_that_run_at_once_have_a_container_each(home):
    home.configure("[dispatch]\ncap = 2\n")
    home.up()
    orders = [enqueue(home, "sh", "-c", f"echo begun; sleep {LONG}") for _ in "ab"]
    for order in orders:
        running(home, order)
        home.ask("order.cancel", id=order)
    assert len({over(home, order) and container_of(home, order) for order in orders}) == 2


def test_words_variables_and_the_workspace_arrive_as_they_are(home):
    home.up()
    odd = "a 'b' \"c\" $d `e` \\ \n next\tline é"
    order = enqueue(
        home,
        "sh",
        "-c",
        'printf "%s|%s|" "$1" "$ODD" >out; cat out; pwd',
        "x",
        odd,
        env={"ODD": odd},
    )
    end = over(home, order)
    place = end["attempts"][0]["workspace"]
    assert log(home, order) == f"{odd}|{odd}|{place}\n"
    assert end["order"]["state"] == "completed"


def test_a_container_for_one_attempt_sees_its_own_workspace_alone(home):
    home.configure("[runtime]\nidle_timeout = 0\n")
    home.up()
    first = enqueue(home, "sh", "-c", "echo mine > secret; exit 1")
    assert over(home, first)["order"]["state"] == "failed"
    second = enqueue(home, "sh", "-c", "pwd; ls ..")
    place = over(home, second)["attempts"][0]["workspace"]
    assert log(home, second) == f"{place}\n{second}\n"
    assert (home.board() / "workspaces" / str(first) / "secret").exists()


def test_the_context_is_there_and_the_hosts_own_variables_are_not(home):
    home.up()
    order = enqueue(
        home,
        "sh",
        "-c",
        'test -s "$SHOPFLOOR_CONTEXT" && echo "$SHOPFLOOR_TASK"; echo "$PATH"',
        name="read me",
    )
    over(home, order)
    number, path = log(home, order).splitlines()
    assert number == str(order)
    assert path != os.environ["PATH"]


def test_a_cancelled_order_leaves_no_process_inside_and_its_container_is_used_again(home, engine):
    home.up()
    words = f"trap 'echo bye; exit 7' TERM; setsid sleep {LONG} & (sleep {LONG} &) ; echo begun; sleep {LONG} & wait"
    order = enqueue(home, "sh", "-c", words)
    running(home, order)
    home.ask("order.cancel", id=order)
    end = over(home, order)
    assert (end["order"]["state"], log(home, order)) == ("cancelled", "begun\nbye\n")
    name = container_of(home, order)
    assert LONG not in engine.podman("exec", name, "ps")
    again = enqueue(home, "true")
    assert over(home, again)["order"]["state"] == "completed"
    assert container_of(home, again) == name


def test_an_order_that_hears_no_signal_is_killed_inside_at_its_time_limit(home, engine):
    home.configure('[profiles.short]\nargv = ["true"]\ngrace = "1s"\n')
    home.up()
    words = f"trap '' TERM; echo begun; while :; do sleep {LONG}; done"
    order = enqueue(home, "sh", "-c", words, timeout_ms=1_500, assignee="short")
    end = over(home, order)
    assert (end["order"]["outcome"], end["exit_status"]) == ("timed_out", 124)
    name = container_of(home, order)
    eventually(lambda: name not in engine.names(), limit_s=LIMIT_S)


@pytest.mark.parametrize("part", ["client", "supervisor"])
def test_what_runs_inside_dies_with_whoever_holds_its_line(home, engine, part):
    home.up()
    order = enqueue(home, "sh", "-c", f"echo begun; sleep {LONG}", retries=1)
    running(home, order)
    name = json.loads((home.run_folder(1) / "container").read_text())["name"]
    supervisor = home.supervisor(order)
    victim = supervisor.pid
    if part == "client":
        [victim] = proc.children(supervisor.pid)
    os.kill(victim, signal.SIGKILL)
    # What was cut off is not used again, and it goes only when everything in it is dead.
    eventually(lambda: name not in engine.names(), limit_s=LIMIT_S)
    eventually(lambda: home.runs(order)[0]["outcome"] == "crashed", limit_s=LIMIT_S)
    home.ask("order.cancel", id=order)
    over(home, order)
    where = receipt(home, 1)["worker"]
    assert (where["runtime"], where["container"]) == ("container:box", name)


def test_a_killed_dispatcher_leaves_no_container_after_the_next_start(home, engine):
    daemon = home.up()
    idle = enqueue(home, "true")
    over(home, idle)
    words = "echo begun; until test -e go; do sleep 1; done; echo done"
    order = enqueue(home, "sh", "-c", words)
    running(home, order)
    second = enqueue(home, "true", image="box:latest")
    over(home, second)
    assert len(engine.names()) == 2
    daemon.kill()
    home.up()
    kept = json.loads((home.run_folder(2) / "container").read_text())["name"]
    eventually(lambda: engine.names() == [kept], limit_s=LIMIT_S)
    (home.board() / "workspaces" / str(order) / "go").touch()
    assert over(home, order)["exit_status"] == 0
    assert log(home, order) == "begun\ndone\n"
    eventually(lambda: engine.names() == [], limit_s=LIMIT_S)


def test_an_idle_container_ends_by_itself_also_when_nobody_is_left_to_end_it(home, engine):
    home.configure('[runtime]\nidle_timeout = "2s"\n')
    daemon = home.up()
    over(home, enqueue(home, "true"))
    daemon.kill()
    eventually(lambda: engine.names() == [], limit_s=LIMIT_S)


def test_limits_and_mounts_are_those_that_were_asked_for(home, engine, tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "in").write_text("given\n")
    home.up()
    order = enqueue(
        home,
        "sh",
        "-c",
        "cat /data/in; touch /data/x; echo $?",
        mounts=[f"{tmp_path}/data:/data:ro"],
        memory="64m",
        cpus=0.5,
        pids=30,
    )
    over(home, order)
    assert log(home, order).splitlines()[0] == "given"
    assert log(home, order).splitlines()[-1] == "1"
    [found] = json.loads(engine.podman("inspect", container_of(home, order)))
    limits = found["HostConfig"]
    assert (limits["Memory"], limits["PidsLimit"]) == (64 << 20, 30)
    assert limits["NanoCpus"] == 500_000_000 or limits["CpuQuota"] == 50_000


def test_a_profile_says_where_its_command_and_the_check_after_it_run(home):
    home.configure(
        '[profiles.boxed]\nargv = ["sh", "-c", "echo work in ${container}"]\nruntime = "container:box"\n'
    )
    home.up()
    task = home.create(assignee="boxed", check=["sh", "-c", "echo check in ${container}"])
    home.becomes(task, "done")
    home.is_over(task)
    assert log(home, task) == "work in podman\ncheck in podman\n"


def test_an_image_that_is_not_there_fails_the_order_in_one_sentence_and_holds_nobody_up(home):
    home.up()
    order = enqueue(home, "true", image="localhost/nowhere:1")
    end = over(home, order)
    assert (end["order"]["state"], end["order"]["outcome"]) == ("failed", "spawn_failed")
    assert end["order"]["error"].startswith("no container of localhost/nowhere:1 could be made")
    assert receipt(home, 1)["worker"]["runtime"] is None


def test_a_warm_container_that_was_removed_by_hand_costs_no_attempt(home, engine):
    home.up()
    first = enqueue(home, "true")
    over(home, first)
    engine.podman("rm", "--force", "--time", "0", container_of(home, first))
    second = enqueue(home, "echo", "again")
    assert over(home, second)["order"]["state"] == "completed"
    assert [run["outcome"] for run in show(home, second)["attempts"]] == ["completed", "reclaimed"]


def test_without_a_daemon_one_pass_makes_the_container_and_starts_the_order(home, engine):
    order = enqueue(home, "echo", "alone")
    assert home.shop("order", "run-due").returncode == 0
    assert home.shop("order", "wait", str(order)).stdout == "alone\n"
    home.up().term()
    eventually(lambda: engine.names() == [], limit_s=LIMIT_S)
