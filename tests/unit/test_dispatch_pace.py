"""When a pass may fill slots early, and how long the dispatcher is deaf to the bell after it."""

import pytest

from shopfloor.daemon.look import NOTHING_SEEN
from shopfloor.daemon.loop import REST_MAX_S, _rest_s
from shopfloor.domain.report import DispatchReport, End, Skipped
from shopfloor.kernel.claim import Plan, Skip

FULL = Skipped("board_cap", "", "all slots are in use", None)


@pytest.mark.parametrize(
    ("seen", "ripe"),
    [
        (NOTHING_SEEN, False),
        (NOTHING_SEEN._replace(next_due=1001), False),
        (NOTHING_SEEN._replace(next_due=1000), True),
        (NOTHING_SEEN._replace(due=True), True),
        (NOTHING_SEEN._replace(expired=True), True),
        (NOTHING_SEEN._replace(unassigned=True), True),
    ],
)
def test_what_comes_before_a_claim_is_ripe_when_it_was_seen_or_its_time_has_come(seen, ripe):
    assert seen.ripe(1000) is ripe


def test_a_plan_is_claimed_for_a_start_or_for_a_hold_that_is_to_be_noted():
    assert not Plan((), ()).writes
    assert not Plan((), (Skip("board_cap", "", "full"),)).writes
    assert Plan((), (Skip("recent_success", "", "it was done", 1, until=5),)).writes


def test_the_rest_after_a_pass_grows_with_it_and_has_an_end():
    idle, busy = DispatchReport(), DispatchReport(settled=[End(1, 1, "completed", False)])
    assert _rest_s(busy, 0.001) < _rest_s(idle, 0.001) < REST_MAX_S
    assert _rest_s(idle, 0.001) < _rest_s(idle, 0.001, calm=2) <= REST_MAX_S
    assert _rest_s(idle, 10.0) == REST_MAX_S


def test_while_all_slots_are_in_use_the_rest_is_the_longest():
    assert _rest_s(DispatchReport(skipped=[FULL]), 0.0) == REST_MAX_S
