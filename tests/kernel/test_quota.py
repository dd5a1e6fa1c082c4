"""Provider accounts: one limit lets all tasks of an account wait, one probe goes first, the others follow."""

import threading

import pytest

from shopfloor.domain.errors import NotFound
from shopfloor.domain.limits import QUOTA_OPENING_MS, QUOTA_SPREAD_MS
from shopfloor.domain.outcomes import Exit, Report, Usage
from shopfloor.domain.settings import Dispatch, Profile, Settings
from shopfloor.kernel.sweep import times

HOUR = 3_600_000
WINDOW = 5 * HOUR
SETTINGS = Settings(
    dispatch=Dispatch(reviewer="critic", quota_rounds_limit=3),
    profiles={
        "coder": Profile("coder", kind="cli", account="acme"),
        "critic": Profile("critic", kind="cli", account="acme"),
        "other": Profile("other", kind="cli"),
        "plain": Profile("plain", argv=("x",)),
    },
)


@pytest.fixture
def floor(board):
    board.settings = SETTINGS
    return board


def hit(board, run, until=None, ending="quota", **more):
    report = Report(ending, "5-hour limit reached", until, **more)
    return board.settle(run, Exit(exit_code=0), report=report)


def parked(board, tasks=1):
    """An account that has just reached its limit; its first task was tried, the others wait."""
    for _ in range(tasks):
        board.create(assignee="coder")
    [one, *_] = board.start(most=1)
    until = board.now + WINDOW
    hit(board, one.run_id, until)
    return until


def quota(board):
    [one] = board.ask("quota.list")
    return one


def output(board, one):
    return board.ask_as(one.run_id, one.token, "run.progress", output=True)


def events(board):
    return [row[3] for row in board.dump("event")["event"] if row[3].startswith("quota_")]


def test_a_limit_lets_all_tasks_of_the_account_wait_and_no_others(floor):
    until = parked(floor, tasks=3)
    others = [floor.create(assignee="other"), floor.create(assignee="plain")]
    assert [one.task.id for one in floor.start()] == others
    [skip] = [one for one in floor.plan().skipped if one.code == "quota"]
    assert (skip.lane, skip.until) == ("coder", until)
    told = floor.ask("task.why", id=2)
    assert (told.code, told.next_step) == ("quota", "shop quota clear acme")
    assert told.sentence == (
        "account 'acme' reached its limit (5-hour limit reached); it is tried again in 5 h (round 1 of 3)"
    )
    shown = quota(floor)
    assert (shown.account, shown.state, shown.left_s) == ("acme", "parked", WINDOW / 1000)
    assert (shown.rounds, shown.rounds_limit, shown.waiting) == (1, 3, 3)
    assert events(floor) == ["quota_parked"]


def test_the_dispatcher_wakes_when_the_account_may_be_tried(floor):
    until = parked(floor, tasks=2)
    assert floor.read(lambda tx: times(tx, SETTINGS)).next_at == until


def test_a_reviewers_queue_waits_for_the_same_account(floor):
    task = floor.create(assignee="other")
    [one] = floor.start()
    floor.ask_as(one.run_id, one.token, "task.request_review", id=task, summary="look")
    floor.settle(one.run_id, Exit(exit_code=0))
    parked(floor)
    assert floor.start() == []
    assert floor.ask("task.why", id=task).code == "quota"


def test_hits_of_runs_that_were_at_work_are_the_same_round(floor):
    for _ in range(20):
        floor.create(assignee="coder")
    started = floor.start()
    assert len(started) == 20
    for number, one in enumerate(started):
        hit(floor, one.run_id, floor.now + WINDOW + number)
    shown = quota(floor)
    assert (shown.rounds, shown.left_s) == (1, (WINDOW + 19) / 1000)
    assert events(floor) == ["quota_parked"]


def test_twenty_tasks_make_one_probe_in_each_window_until_the_rounds_are_over(floor):
    for _ in range(20):
        floor.create(assignee="coder")
    for one in floor.start():
        hit(floor, one.run_id, floor.now + WINDOW)
    for number in (2, 3):
        floor.clock.advance(WINDOW)
        [probe] = floor.start()
        assert floor.start() == []
        assert quota(floor).state == "probing"
        hit(floor, probe.run_id, floor.now + WINDOW)
        assert quota(floor).rounds == number
    assert floor.start() == []
    rows = [floor.task(number) for number in range(1, 21)]
    assert {row.status for row in rows} == {"blocked"}
    assert {row.block_kind for row in rows} == {"capability"}
    figures = "account 'acme' was tried 3 times in 10 h without an answer; the last time: 5-hour limit reached"
    assert sum(row.block_reason == figures for row in rows) >= 19
    assert floor.ask("quota.list") == []
    assert events(floor) == ["quota_parked"] * 3 + ["quota_spent"]
    assert sum(len(floor.runs(number)) for number in range(1, 21)) == 22
    assert floor.findings() == []
    floor.ask("task.unblock", id=7)
    assert [one.task.id for one in floor.start()] == [7], "a person's word begins anew"


def test_when_the_probe_gets_an_answer_the_others_follow_one_by_one(floor):
    parked(floor, tasks=4)
    floor.clock.advance(WINDOW)
    [probe] = floor.start()
    told = floor.ask("task.why", id=2 if probe.task.id != 2 else 3)
    assert f"run {probe.run_id} tries it first" in told.sentence
    output(floor, probe)
    assert quota(floor).state == "opening"
    started = [len(floor.start())]
    for _ in range(3):
        assert floor.start() == [], "not before its time"
        floor.clock.advance(QUOTA_SPREAD_MS)
        started.append(len(floor.start()))
    assert started == [1, 1, 1, 0]
    floor.clock.advance(QUOTA_OPENING_MS)
    floor.take()
    assert floor.ask("quota.list") == []
    assert events(floor) == ["quota_parked", "quota_opened"]


def test_a_verdict_of_the_probe_opens_the_account_too(floor):
    parked(floor, tasks=2)
    floor.clock.advance(WINDOW)
    [probe] = floor.start()
    floor.ask_as(probe.run_id, probe.token, "task.complete", id=probe.task.id)
    assert quota(floor).state == "opening"
    assert len(floor.start()) == 1


@pytest.mark.parametrize(
    "end",
    [
        lambda b, one: b.settle(one.run_id, Exit(signal=9)),
        lambda b, one: b.settle(one.run_id, Exit(exit_code=0), report=Report("failed", "no")),
        lambda b, one: b.ask("task.reclaim", id=one.task.id),
        lambda b, one: b.ask("task.cancel", id=one.task.id),
        lambda b, one: (
            b.ask("task.cancel", id=one.task.id),
            b.settle(one.run_id, Exit(stopped=True)),
            b.ask("task.delete", id=one.task.id),
        ),
    ],
)
def test_a_probe_that_ends_without_an_answer_leaves_the_place_to_the_next(floor, end):
    parked(floor, tasks=3)
    floor.clock.advance(WINDOW)
    [probe] = floor.start()
    end(floor, probe)
    [second] = floor.start()
    assert second.run_id != probe.run_id
    assert floor.start() == []
    assert (quota(floor).rounds, quota(floor).probe_run) == (1, second.run_id)


def test_progress_of_another_run_than_the_probe_opens_nothing(floor):
    for _ in range(3):
        floor.create(assignee="coder")
    first, second = floor.start(most=2)
    hit(floor, first.run_id, floor.now + WINDOW)
    output(floor, second)
    assert quota(floor).state == "parked"
    floor.clock.advance(WINDOW)
    floor.start()
    output(floor, second)
    assert quota(floor).state == "probing"


def test_a_limit_after_an_answer_is_the_first_round_again(floor):
    parked(floor, tasks=2)
    floor.clock.advance(WINDOW)
    [probe] = floor.start()
    hit(floor, probe.run_id, floor.now + WINDOW)
    assert quota(floor).rounds == 2
    floor.clock.advance(WINDOW)
    [probe] = floor.start()
    output(floor, probe)
    hit(floor, probe.run_id, floor.now + WINDOW, usage=Usage(5, 6))
    assert (quota(floor).rounds, quota(floor).state) == (1, "parked")
    assert floor.task(probe.task.id).quota_rounds == 1


def test_a_provider_that_is_only_busy_lets_one_task_wait(floor):
    floor.create(assignee="coder")
    floor.create(assignee="coder")
    [one] = floor.start(most=1)
    hit(floor, one.run_id, ending="busy")
    assert floor.ask("quota.list") == []
    assert [two.task.id for two in floor.start()] == [2]


def test_a_plain_command_that_asks_for_later_parks_no_account(floor):
    first = floor.create(assignee="plain")
    floor.create(assignee="plain")
    [one] = [x for x in floor.start(most=1) if x.task.id == first]
    floor.settle(one.run_id, Exit(exit_code=75))
    assert floor.ask("quota.list") == []
    profiles = {**SETTINGS.profiles, "plain": SETTINGS.profiles["plain"]._replace(account="api")}
    floor.settings = SETTINGS._replace(profiles=profiles)
    [two] = floor.start()
    floor.settle(two.run_id, Exit(exit_code=75))
    assert quota(floor).account == "api"


def test_a_person_lets_an_account_start_now(floor):
    parked(floor, tasks=2)
    floor.ask("quota.clear", account="acme")
    assert floor.ask("quota.list") == []
    assert len(floor.start()) == 2
    with pytest.raises(NotFound, match="waits for nothing"):
        floor.ask("quota.clear", account="acme")
    assert events(floor) == ["quota_parked", "quota_cleared"]


def test_the_best_task_probes_and_a_lane_that_may_not_start_does_not_take_the_place(floor):
    parked(floor)
    better = floor.create(assignee="coder", priority=5)
    floor.clock.advance(WINDOW)
    floor.ask("dispatch.pause", ids=[better])
    [probe] = floor.start()
    assert probe.task.id == 1


def test_of_two_hosts_that_claim_at_once_one_starts_a_probe(place):
    first = place.open(settings=SETTINGS)
    first.settings = SETTINGS
    parked(first, tasks=6)
    first.clock.advance(WINDOW)
    boards = [first, place.open(settings=SETTINGS)]
    begin = threading.Barrier(2)
    started = []

    def claim(board, host):
        board.settings = SETTINGS
        begin.wait()
        started.extend(board.take(host=host))

    threads = [
        threading.Thread(target=claim, args=(board, f"host{number}"))
        for number, board in enumerate(boards)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(started) == 1
    assert quota(first).probe_run == started[0].run_id
