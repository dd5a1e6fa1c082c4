"""Work orders on both databases: their states, their verbs, what is found, and how an end is told."""

from datetime import UTC, datetime

import pytest
from typing_extensions import override

from shopfloor.domain.errors import Invalid, NotFound, WrongStatus
from shopfloor.domain.orders import State
from shopfloor.domain.outcomes import Exit
from shopfloor.domain.runtimes import image_of, memory_bytes, mount
from shopfloor.kernel import sweep
from tests.support.board import HOST, Standing

MINUTE = 60_000


def enqueue(board, *argv, **args):
    command = {"argv": list(argv) or ["true"], **args.pop("command", {})}
    return board.ask("order.enqueue", command=command, **args).order.id


def state(board, order):
    return board.ask("order.show", id=order).order.state


def end(board, order, **seen):
    """Start what is due and end the order's attempt."""
    [one] = [one for one in board.start() if one.task.id == order]
    return board.settle(one.run_id, Exit(**seen))


def test_an_order_is_queued_runs_and_is_completed_by_its_exit_status(board):
    order = enqueue(board, "true")
    assert state(board, order) == "queued"
    [one] = board.start()
    assert state(board, order) == "running"
    board.settle(one.run_id, Exit(exit_code=0))
    shown = board.ask("order.show", id=order)
    assert (shown.order.state, shown.exit_status, shown.order.attempts) == ("completed", 0, 1)
    assert [run.outcome for run in shown.attempts] == ["completed"]


def test_a_delayed_order_stays_queued_until_it_is_due(board):
    late = enqueue(board, delay_ms=MINUTE)
    at = board.clock.now + 2 * MINUTE
    later = board.ask("order.enqueue", command={"argv": ["true"]}, at=f"{_iso(at)}").order
    assert later.next_at.timestamp() * 1000 == at
    assert board.start() == []
    assert {state(board, late), state(board, later.id)} == {"queued"}
    board.clock.advance(MINUTE)
    board.write(sweep.come_due)
    assert [one.task.id for one in board.start()] == [late]
    assert state(board, later.id) == "queued"


def test_an_order_with_one_retry_completes_at_its_second_attempt(board):
    order = enqueue(board, retries=1, backoff={"base_ms": MINUTE})
    end(board, order, exit_code=9)
    shown = board.ask("order.show", id=order)
    assert (shown.order.state, shown.order.max_attempts) == ("retry_scheduled", 2)
    assert shown.exit_status is None
    assert board.start() == []
    board.clock.advance(MINUTE)
    board.write(sweep.come_due)
    end(board, order, exit_code=0)
    shown = board.ask("order.show", id=order)
    assert (shown.order.state, shown.order.attempts, shown.exit_status) == ("completed", 2, 0)


@pytest.mark.parametrize(
    ("seen", "status"),
    [
        ({"exit_code": 3}, 3),
        ({"signal": 9}, 137),
        ({"timed_out": True, "signal": 15}, 124),
        ({"spawn_error": "no such program"}, 127),
    ],
)
def test_the_exit_status_of_a_failed_order_is_what_a_shell_would_say(board, seen, status):
    order = enqueue(board)
    end(board, order, **seen)
    shown = board.ask("order.show", id=order)
    assert (shown.order.state, shown.exit_status) == ("failed", status)
    assert shown.next_step == f"shop log {order}, then shop order retry {order}"


def test_a_failed_order_has_ended_when_its_last_attempt_did_until_it_is_retried(board):
    order = enqueue(board)
    at = board.clock.advance(MINUTE)
    end(board, order, exit_code=1)
    board.clock.advance(MINUTE)
    [listed] = board.ask("order.list").items
    shown = board.ask("order.show", id=order).order
    assert {one.ended_at.timestamp() * 1000 for one in (listed, shown)} == {at}
    assert board.ask("order.retry", id=order).ended_at is None


def test_try_again_later_is_no_failure_and_the_order_stays_queued(board):
    order = enqueue(board)
    end(board, order, exit_code=75)
    assert state(board, order) == "queued"
    assert board.start() == []
    board.ask("order.retry", id=order)
    end(board, order, exit_code=0)
    assert state(board, order) == "completed"


def test_retry_starts_a_waiting_or_failed_order_now_with_all_its_attempts(board):
    waiting, failed = enqueue(board, delay_ms=MINUTE), enqueue(board)
    end(board, failed, exit_code=1)
    for order in (waiting, failed):
        assert board.ask("order.retry", id=order).state == "queued"
    assert {one.task.id for one in board.start()} == {waiting, failed}


def test_resume_enters_a_failed_or_cancelled_order_again_with_its_inputs(board):
    failed, cancelled = (enqueue(board, "sh", "-c", "x", command={"env": {"A": "1"}}) for _ in "ab")
    board.ask("order.cancel", id=cancelled, reason="not needed")
    end(board, failed, exit_code=1)
    assert board.ask("order.show", id=cancelled).exit_status == 143
    for order in (failed, cancelled):
        assert board.ask("order.resume", id=order).state == "queued"
        assert board.ask("order.show", id=order).command.env == {"A": "1"}
    for one in board.start():
        board.settle(one.run_id, Exit(exit_code=0))
    assert {state(board, failed), state(board, cancelled)} == {"completed"}
    for verb in ("retry", "resume"):
        with pytest.raises(WrongStatus, match="completed"):
            board.ask(f"order.{verb}", id=failed)


def test_a_cancelled_order_that_runs_is_stopped_and_does_not_start_again(board):
    order = enqueue(board, retries=3)
    [one] = board.start()
    assert board.ask("order.cancel", id=order).state == "cancelled"
    board.settle(one.run_id, Exit(stopped=True, signal=15))
    assert board.start() == []
    assert board.run(one.run_id).outcome == "cancelled"


def test_an_order_that_is_archived_before_its_end_is_over(board):
    order = enqueue(board, delay_ms=MINUTE)
    board.ask("task.archive", id=order)
    news = board.ask("order.wait", id=order)
    assert (news.over, news.exit_status, news.order.state) == (True, 143, "queued")
    assert "archived" in news.why
    for verb in ("retry", "resume", "cancel"):
        with pytest.raises(WrongStatus, match=f"cannot {verb} #{order}: it is archived"):
            board.ask(f"order.{verb}", id=order)
    board.ask("task.unarchive", id=order)
    assert not board.ask("order.wait", id=order).over


def test_a_verb_that_does_not_fit_says_so_in_an_orders_own_words(board):
    running, done = enqueue(board), enqueue(board)
    end(board, done, exit_code=0)
    with pytest.raises(WrongStatus, match=r"cannot retry .* it is running"):
        board.ask("order.retry", id=running)
    with pytest.raises(WrongStatus, match=r"cannot cancel .* it is completed"):
        board.ask("order.cancel", id=done)


def test_a_key_is_enqueued_once(board):
    first = board.ask("order.enqueue", command={"argv": ["true"]}, idempotency_key="k")
    again = board.ask("order.enqueue", command={"argv": ["false"]}, idempotency_key="k")
    assert (first.created, again.created) == (True, False)
    assert again.order.id == first.order.id


def test_the_name_is_the_command_unless_another_is_given(board):
    order = board.ask("order.enqueue", command={"argv": ["sh", "-c", "echo 'a b'"]}).order
    assert order.title == """sh -c 'echo '"'"'a b'"'"''"""
    assert (
        board.ask("order.enqueue", command={"argv": ["x"]}, name="nightly").order.title == "nightly"
    )
    long = board.ask("order.enqueue", command={"argv": ["x" * 2_000]}).order
    assert len(long.title) == 500


def test_where_an_order_runs_is_kept_with_it(board):
    order = enqueue(
        board,
        runtime="container:busybox",
        mounts=["/data:/data:ro", "/tmp"],
        memory="64m",
        cpus=0.5,
        pids=20,
    )
    kept = board.ask("order.show", id=order).runtime
    assert (kept.runtime, kept.mounts) == ("container:busybox", ["/data:/data:ro", "/tmp:/tmp"])
    assert (kept.memory_bytes, kept.cpus, kept.pids) == (64 << 20, 0.5, 20)


@pytest.mark.parametrize(
    ("args", "words"),
    [
        ({"runtime": "vm:x"}, "no runtime"),
        ({"runtime": "container:"}, "no runtime"),
        ({"runtime": "container:a b"}, "no runtime"),
        ({"memory": "1g"}, "belong to a container"),
        ({"runtime": "host", "pids": 4}, "belong to a container"),
        ({"runtime": "container:x", "memory": "lots"}, "no size of memory"),
        ({"runtime": "container:x", "memory": "1k"}, "too little memory"),
        ({"runtime": "container:x", "mounts": ["data"]}, "no mount"),
        ({"runtime": "container:x", "mounts": ["/a:/b:/c"]}, "no mount"),
        ({"delay_ms": 5, "at": "2030-01-01T00:00:00Z"}, "name one of them"),
        ({"command": {"argv": []}}, "at least the name"),
        ({"command": {"argv": ["x"], "env": {"SHOPFLOOR_RUN": "1"}}}, "cannot be set"),
    ],
)
def test_an_order_that_makes_no_sense_is_refused_in_one_sentence(board, args, words):
    with pytest.raises(Invalid, match=words):
        board.ask("order.enqueue", **{"command": {"argv": ["true"]}, **args})
    assert board.ask("order.list").items == []


def test_sizes_mounts_and_images_are_read_as_people_write_them():
    assert [memory_bytes(words) for words in ("512m", "1.5G", "64MiB", "8388608")] == [
        512 << 20,
        3 << 29,
        64 << 20,
        8 << 20,
    ]
    assert mount("/a").text() == "/a:/a" and mount("/a:/b:rw").text() == "/a:/b"
    assert mount("/a:ro").text() == "/a:/a:ro"
    assert image_of("container:localhost:5000/a/b:1") == "localhost:5000/a/b:1"


def test_orders_are_listed_the_newest_first_a_page_at_a_time(board):
    made = [enqueue(board) for _ in range(5)]
    board.create("not an order", assignee="x")
    first = board.ask("order.list", limit=3)
    rest = board.ask("order.list", limit=3, after=first.next)
    assert [one.id for one in (*first.items, *rest.items)] == made[::-1]
    assert rest.next is None
    with pytest.raises(Invalid, match="no cursor"):
        board.ask("order.list", after="x")


def test_orders_are_found_by_state_words_variables_age_and_tenant(board):
    three = enqueue(board, "echo", '"DAY":"mon"')
    end(board, three, exit_code=1)
    one = enqueue(board, "make", "report", command={"env": {"DAY": "mon", "X": "1"}}, tenant="ann")
    two = enqueue(board, "make", "100%_sure", command={"env": {"DAY": "tue"}})
    board.clock.advance(MINUTE)
    four = enqueue(board, "true")

    def found(**args):
        return [line.id for line in board.ask("order.query", **args).items]

    assert found(text="MAKE") == [two, one]
    assert found(text="%_sure") == [two]
    assert found(env=["DAY=mon"]) == [one]
    assert found(env=["DAY=mon", "X=2"]) == []
    assert found(states=["failed"]) == [three]
    assert found(states=["queued"], tenant="ann") == [one]
    assert found(since=_iso(board.clock.now)) == [four]
    assert found(env=["DAY=mon"], limit=1) == [one]
    for wrong in ({"states": ["lost"]}, {"env": ["DAY"]}):
        with pytest.raises(Invalid):
            found(**wrong)


def test_an_archived_order_is_shown_when_asked_for_with_the_state_it_had(board):
    order = enqueue(board)
    end(board, order, exit_code=0)
    board.ask("task.archive", id=order)
    assert board.ask("order.list").items == []
    [line] = board.ask("order.list", archived=True, states=["completed"]).items
    assert (line.id, line.state) == (order, "completed")
    with pytest.raises(WrongStatus, match="archived"):
        board.ask("order.resume", id=order)


def test_every_state_that_a_list_tells_is_the_one_that_one_order_tells(board):
    """The statement and the function of the domain say the same thing twice."""
    for verb in ("order.cancel", "task.block", "task.archive", None):
        order = enqueue(board)
        if verb is not None:
            board.ask(verb, id=order, reason="because")
    enqueue(board, delay_ms=MINUTE)
    end(board, enqueue(board), exit_code=1)
    end(board, enqueue(board, retries=1, backoff={"base_ms": MINUTE}), exit_code=1)
    listed = {
        line.id: line.state
        for wanted in State
        for line in board.ask("order.list", states=[wanted], archived=True).items
    }
    assert len(listed) == 7
    assert listed == {order: state(board, order) for order in listed}


def test_a_task_for_a_profile_is_no_order(board):
    task = board.create("think", assignee="x")
    for op in ("show", "retry", "resume", "cancel", "wait"):
        with pytest.raises(NotFound, match="not a work order"):
            board.ask(f"order.{op}", id=task)
    with pytest.raises(NotFound):
        board.ask("order.show", id=99)


def test_a_running_order_whose_worker_is_gone_is_taken_back_and_completes_next_time(board):
    order = enqueue(board)
    board.service.host = HOST
    [one] = board.start()
    [taken] = board.ask("order.reclaim_stale").items
    assert (taken.id, taken.state) == (order, "queued")
    assert board.run(one.run_id).outcome == "reclaimed"
    assert board.ask("order.reclaim_stale").items == []
    board.settle(one.run_id, Exit(lost=True))
    end(board, order, exit_code=0)
    assert state(board, order) == "completed"
    assert board.findings() == []


def _iso(ms):

    return datetime.fromtimestamp(ms / 1000, UTC).isoformat()


@pytest.mark.parametrize("when", ["9999-12-31T23:59:59-12:00", "0001-01-01T00:00:00+12:00"])
def test_a_time_that_no_list_could_show_is_refused_and_spoils_none(board, when):
    order, task = enqueue(board), board.create()
    for ask in (
        lambda: board.ask("order.enqueue", command={"argv": ["true"]}, at=when),
        lambda: board.ask("task.schedule", id=task, not_before=when),
        lambda: board.ask("schedule.add", rule=f"at {when}", title="x"),
    ):
        with pytest.raises(Invalid, match="too far away to be kept; name a time from"):
            ask()
    with pytest.raises(Invalid):
        board.ask("order.enqueue", command={"argv": ["true"]}, delay_ms=2**53)
    assert [one.id for one in board.ask("order.list").items] == [order]
    assert len(board.ask("task.list").items) == 2


class _Waits(Standing):
    """A dispatcher nothing changes under: says at once that the time is over, and remembers how long it was."""

    def __init__(self, service):
        super().__init__(service)
        self.steps_s = []

    @override
    def wait_for_change(self, seen, timeout_s):
        self.steps_s.append(timeout_s)
        return seen


def test_whoever_waits_longer_for_a_running_order_sees_its_output_as_soon(board):
    """Who asked while it was queued has a long wait, and output wakes nobody."""
    order = enqueue(board)
    waits = board.service.dispatching = _Waits(board.service)
    board.ask("order.wait", id=order, wait_s=10)
    assert waits.steps_s == [5.0, 5.0]
    board.start()
    waits.steps_s.clear()
    board.ask("order.wait", id=order, wait_s=10)
    assert max(waits.steps_s) <= 0.25
    assert sum(waits.steps_s) == pytest.approx(10)
