"""Orders through a running `shop up` and without one: waiting stands in for the command itself."""

import json
import signal
import subprocess

import pytest

from tests.support.home import kill
from tests.support.waiting import eventually

LONG = "86400"
END_S = 250


def enqueue(home, *argv, **args):
    return home.ask("order.enqueue", command={"argv": list(argv)}, **args)["order"]["id"]


def waiting(home, order):
    """`shop order wait` as a process of its own."""
    return subprocess.Popen(
        [str(home.python), "-m", "shopfloor", "order", "wait", str(order)],
        env=home.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


@pytest.mark.parametrize(
    ("words", "status"),
    [("exit 0", 0), ("exit 3", 3), ("kill -KILL $$", 137), ("kill -TERM $$", 143)],
)
def test_wait_leaves_with_the_exit_status_of_the_command(home, words, status):
    home.up()
    order = enqueue(home, "sh", "-c", f"printf 'a\\377b'; {words}")
    waiter = waiting(home, order)
    out, err = waiter.communicate(timeout=END_S)
    assert (out, waiter.returncode) == (b"a\xffb", status)
    assert (b"failed" in err) == (status != 0)


def test_wait_prints_the_output_of_all_attempts_one_after_the_other(home):
    home.up()
    script = 'echo "try $SHOPFLOOR_ATTEMPT"; test "$SHOPFLOOR_ATTEMPT" = 2'
    order = enqueue(home, "sh", "-c", script, retries=1)
    waiter = waiting(home, order)
    out, _ = waiter.communicate(timeout=END_S)
    assert (out, waiter.returncode) == (b"try 1\ntry 2\n", 0)


def test_output_is_printed_before_the_end_and_ctrl_c_ends_only_the_waiting(home):
    home.up()
    order = enqueue(home, "sh", "-c", f"echo begun; exec sleep {LONG}")
    waiter = waiting(home, order)
    assert waiter.stdout.readline() == b"begun\n"
    waiter.send_signal(signal.SIGINT)
    _, err = waiter.communicate(timeout=END_S)
    assert waiter.returncode == 130
    assert f"#{order} goes on; `shop order cancel {order}` ends it" in err.decode()
    assert home.ask("order.show", id=order)["order"]["state"] == "running"
    second = waiting(home, order)
    home.ask("order.cancel", id=order)
    second.communicate(timeout=END_S)
    assert second.returncode == 143
    home.is_over(order)


def test_without_a_daemon_a_pass_starts_what_is_due_and_waiting_sees_its_end(home):
    order = enqueue(home, "sh", "-c", "echo alone; exit 4")
    late = enqueue(home, "true", delay_ms=3_600_000)
    assert home.shop("order", "run-due").returncode == 0
    done = home.shop("order", "wait", str(order))
    assert (done.stdout, done.returncode) == ("alone\n", 4)
    assert home.ask("order.show", id=late)["order"]["state"] == "queued"


def test_a_stale_running_order_is_taken_back_and_completes_in_the_next_pass(home):
    order = enqueue(home, "sh", "-c", f'test "$SHOPFLOOR_ATTEMPT" = 2 || exec sleep {LONG}')
    home.shop("order", "run-due")
    kill(home.supervisor(order))
    eventually(lambda: not home.supervisors())
    [taken] = json.loads(home.shop("order", "reclaim-stale", "--json").stdout)["items"]
    assert (taken["id"], taken["state"]) == (order, "queued")
    home.shop("order", "run-due")
    assert home.shop("order", "wait", str(order)).returncode == 0
    assert home.outcomes(order) == ["reclaimed", "completed"]
    assert json.loads(home.shop("order", "reclaim-stale", "--json").stdout)["items"] == []


def test_a_completed_order_is_linked_to_the_receipt_of_each_attempt(home):
    home.up()
    order = enqueue(home, "sh", "-c", 'test "$SHOPFLOOR_ATTEMPT" = 2', retries=1)
    home.becomes(order, "done")
    home.is_over(order)

    def receipts():
        found = [run["receipt"] for run in home.ask("order.show", id=order)["attempts"]]
        return found if all(found) else None

    assert len({*eventually(receipts)}) == 2


def test_an_order_that_is_not_there_is_told_so(home):
    assert home.shop("order", "wait", "99").returncode == 3


def test_who_waits_is_told_that_the_beginning_of_a_long_output_is_gone(home):
    home.up()
    order = enqueue(home, "sh", "-c", "seq 1000000")
    home.becomes(order, "done")
    home.is_over(order)
    done = home.shop("order", "wait", str(order))
    assert done.stdout.endswith("\n999999\n1000000\n")
    assert "the beginning of the output is not kept any more" in done.stderr
    assert done.returncode == 0


def test_an_order_without_its_command_is_told_what_is_missing(home):
    done = home.shop("order", "enqueue", "--retries", "1")
    assert done.returncode == 2
    assert "the command that is to run is missing" in done.stderr
