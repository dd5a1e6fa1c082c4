"""How each end of an attempt is judged, row by row."""

import pytest

from shopfloor.domain import limits
from shopfloor.domain.lifecycle import Outcome
from shopfloor.domain.outcomes import (
    CUT_OFF,
    ENDINGS,
    Case,
    Counters,
    Exit,
    Limits,
    Next,
    Report,
    Usage,
    backoff_ms,
    classify,
    judge,
    resolve_failure_limit,
)

NOTHING_YET = Counters()
USUAL = Limits()


def judged(outcome, before=NOTHING_YET, bounds=USUAL, **more):
    return judge(Case(outcome, "why", before, bounds, **more))


@pytest.mark.parametrize(
    ("seen", "outcome"),
    [
        (Exit(exit_code=0), Outcome.COMPLETED),
        (Exit(exit_code=1), Outcome.FAILED),
        (Exit(exit_code=255), Outcome.FAILED),
        (Exit(exit_code=75), Outcome.RATE_LIMITED),
        (Exit(signal=9), Outcome.CRASHED),
        (Exit(lost=True), Outcome.CRASHED),
        (Exit(timed_out=True, signal=15), Outcome.TIMED_OUT),
        (Exit(timed_out=True, exit_code=0), Outcome.TIMED_OUT),
        (Exit(spawn_error="no such program"), Outcome.SPAWN_FAILED),
        (Exit(never_started=True), Outcome.RECLAIMED),
        (Exit(never_started=True, stopped=True), Outcome.RECLAIMED),
        (Exit(stopped=True, signal=15), Outcome.RECLAIMED),
        (Exit(stopped=True, exit_code=75), Outcome.RECLAIMED),
        (Exit(fenced=True, signal=9), Outcome.RECLAIMED),
        (Exit(guard_refused="superseded", exit_code=0), Outcome.SUPERSEDED),
        (Exit(guard_refused="superseded", exit_code=1), Outcome.SUPERSEDED),
    ],
)
def test_what_the_supervisor_saw_has_one_name(seen, outcome):
    assert classify(seen, is_command=True)[0] is outcome


def test_an_agent_that_leaves_with_zero_has_given_no_verdict():
    assert classify(Exit(exit_code=0), is_command=False)[0] is Outcome.PROTOCOL_VIOLATION


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize(
    "seen", [Exit(exit_code=0), Exit(exit_code=1), Exit(signal=9), Exit(lost=True)]
)
def test_what_an_agents_runner_reports_goes_before_how_its_process_ended(ending, seen):
    found = classify(seen, is_command=False, report=Report(ending, "so it was"))
    assert found == (ENDINGS[ending].outcome, "so it was")
    assert classify(seen, is_command=False, report=Report(ending))[1] == ENDINGS[ending].sentence


@pytest.mark.parametrize(
    ("ending", "told"), [("auth_failed", "no key; next: log in"), ("failed", "no key")]
)
def test_what_pauses_a_profile_names_the_next_step(ending, told):
    report = Report(ending, "no key", next="log in")
    assert classify(Exit(exit_code=0), is_command=False, report=report)[1] == told


@pytest.mark.parametrize(
    "seen",
    [
        Exit(never_started=True),
        Exit(guard_refused="superseded", exit_code=0),
        Exit(spawn_error="no such program"),
        Exit(timed_out=True, exit_code=0),
        Exit(fenced=True, signal=9),
        Exit(stopped=True, exit_code=0),
    ],
)
def test_what_cut_an_agent_off_goes_before_its_report(seen):
    assert any(sign.seen(seen) for sign in CUT_OFF)
    told = classify(seen, is_command=False, report=Report("failed", "it says so"))
    assert told == classify(seen, is_command=False)
    assert told[0] is not Outcome.FAILED


@pytest.mark.parametrize("report", [None, Report(), Report("an ending of a later version")])
def test_a_report_without_a_known_ending_leaves_it_to_the_exit_record(report):
    assert classify(Exit(exit_code=0), is_command=False, report=report) == (
        Outcome.PROTOCOL_VIOLATION,
        "the agent left without saying how the task ended",
    )
    assert classify(Exit(exit_code=3), is_command=False, report=report) == (
        Outcome.FAILED,
        "the agent ended with exit status 3",
    )


def test_a_command_is_not_asked_for_a_report():
    assert classify(Exit(exit_code=0), is_command=True, report=Report("failed"))[0] is (
        Outcome.COMPLETED
    )


def test_what_is_read_from_a_cache_does_not_count_to_a_limit():
    assert Usage(1, 20, 300, 4_000).tokens == 4_021


@pytest.mark.parametrize(
    "outcome",
    [
        Outcome.FAILED,
        Outcome.CRASHED,
        Outcome.TIMED_OUT,
        Outcome.SPAWN_FAILED,
        Outcome.CHECK_FAILED,
    ],
)
def test_a_failure_counts_and_the_limit_gives_up(outcome):
    first = judged(outcome)
    assert (first.next, first.counters.failures) == (Next.RELEASE, 1)
    second = judged(outcome, first.counters)
    assert (second.next, second.block_kind) == (Next.GIVE_UP, "gave_up")
    assert "2 failed attempts" in second.block_reason
    once = judged(outcome, bounds=Limits(failures=1))
    assert once.next is Next.GIVE_UP
    assert once.block_reason == "gave up after 1 failed attempt; the last one: why"
    assert judged(outcome, Counters(failures=4), Limits(failures=6)).next is Next.RELEASE


@pytest.mark.parametrize(
    "outcome",
    [
        Outcome.RECLAIMED,
        Outcome.SUPERSEDED,
        Outcome.AUTH_FAILED,
        Outcome.PERMISSION_REFUSED,
        Outcome.RATE_LIMITED,
        Outcome.STALE,
        Outcome.PROTOCOL_VIOLATION,
    ],
)
def test_what_is_nobodys_failure_does_not_count(outcome):
    after = judged(outcome, Counters(failures=1))
    assert (after.next, after.counters.failures) == (Next.RELEASE, 1)


def test_a_success_forgets_every_streak():
    before = Counters(failures=1, violations=2, stale_streak=2, quota_rounds=11)
    assert judged(Outcome.COMPLETED, before).counters == Counters()


def test_a_failure_waits_where_a_backoff_is_set():
    after = judged(Outcome.FAILED, bounds=Limits(backoff_ms=7_000))
    assert (after.next, after.wait_ms) == (Next.RETRY_LATER, 7_000)


def test_later_waits_for_the_cooldown_or_for_what_the_provider_named():
    assert judged(Outcome.RATE_LIMITED).wait_ms == limits.RATE_LIMIT_COOLDOWN_MS == 300_000
    assert judged(Outcome.RATE_LIMITED, retry_in_ms=1_234).wait_ms == 1_234


def test_twelve_rounds_of_rate_limits_block():
    counters = Counters()
    for number in range(1, limits.QUOTA_ROUNDS_LIMIT + 1):
        after = judged(Outcome.RATE_LIMITED, counters)
        counters = after.counters
        assert counters.quota_rounds == number
    assert (after.next, after.block_kind) == (Next.GIVE_UP, "capability")
    assert "12 rounds" in after.block_reason


def test_three_violations_in_a_row_block_and_rate_limits_between_are_neutral():
    counters = judged(Outcome.PROTOCOL_VIOLATION).counters
    counters = judged(Outcome.RATE_LIMITED, counters).counters
    counters = judged(Outcome.PROTOCOL_VIOLATION, counters).counters
    assert judged(Outcome.PROTOCOL_VIOLATION, counters).next is Next.GIVE_UP
    broken = judged(Outcome.CRASHED, counters, Limits(failures=9)).counters
    assert broken.violations == 0


def test_the_third_stale_run_in_a_row_blocks_as_a_matter_of_ability():
    counters = judged(Outcome.STALE, judged(Outcome.STALE).counters).counters
    assert judged(Outcome.STALE, counters).block_kind == "capability"
    assert judged(Outcome.RECLAIMED, counters).counters.stale_streak == 0


def test_spent_goal_turns_block_for_a_person_at_once():
    after = judged(Outcome.GOAL_BUDGET_SPENT)
    assert (after.next, after.block_kind) == (Next.GIVE_UP, "needs_input")


@pytest.mark.parametrize(
    ("task", "profile", "board", "limit"),
    [(1, 5, 7, 1), (None, 5, 7, 5), (None, None, 7, 7), (None, None, None, 2)],
)
def test_the_limit_is_looked_up_in_one_order(task, profile, board, limit):
    assert resolve_failure_limit(task, profile, board) == limit


def test_a_backoff_doubles_up_to_its_most():
    assert [backoff_ms(1_000, n) for n in (1, 2, 3)] == [1_000, 2_000, 4_000]
    assert backoff_ms(1_000, 50) == 3_600_000
    assert backoff_ms(1_000, 10_000, max_ms=5_000) == 5_000
