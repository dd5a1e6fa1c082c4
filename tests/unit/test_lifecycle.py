"""Properties of the lifecycle table itself: written by hand, they are its specification."""

from itertools import pairwise

import pytest

from shopfloor.domain.caller import BOARD
from shopfloor.domain.lifecycle import (
    EDGES,
    ENDED,
    EVENT_IS_OUTCOME,
    INITIAL,
    OPEN,
    RULES,
    By,
    Effect,
    Guard,
    RunEffect,
    Status,
    Verb,
    rules_for,
    sources_of,
    verbs_for,
)
from shopfloor.domain.model import Task
from shopfloor.kernel.apply import _FIXED, _GIVEN, Change
from shopfloor.store.statements import Statements

WORKERS = [rule for rule in RULES if rule.by is By.WORKER]


def groups():
    seen = {(rule.verb, rule.by, rule.source) for rule in RULES}
    return sorted(seen, key=str)


def test_every_status_is_reached_from_a_creation():
    reached, frontier = set(INITIAL), set(INITIAL)
    while frontier:
        frontier = {target for source, target in EDGES if source in frontier} - reached
        reached |= frontier
    assert reached == set(Status)


def test_every_status_can_be_left():
    assert {source for source, _ in EDGES} == set(Status)


def test_a_creation_leads_where_the_design_says():
    assert {status.value for status in INITIAL} == {
        "triage",
        "todo",
        "scheduled",
        "ready",
        "blocked",
    }


def test_only_a_claim_opens_a_run_and_only_from_a_queue():
    opening = [rule for rule in RULES if rule.run is RunEffect.OPEN]
    assert {rule.verb for rule in opening} == {Verb.CLAIM}
    assert {rule.source for rule in opening} == {Status.READY, Status.REVIEW}
    assert {rule.target for rule in RULES if rule.verb is Verb.CLAIM} == {Status.RUNNING}


def test_nothing_but_a_claim_leads_to_running():
    assert {rule.verb for rule in RULES if rule.target is Status.RUNNING} == {Verb.CLAIM}


@pytest.mark.parametrize("rule", [rule for rule in RULES if rule.source is Status.RUNNING], ids=str)
def test_leaving_running_closes_the_run(rule):
    assert rule.run not in (RunEffect.KEEP, RunEffect.OPEN, RunEffect.SYNTHETIC)


@pytest.mark.parametrize(
    "rule", [rule for rule in RULES if rule.source is not Status.RUNNING], ids=str
)
def test_a_task_that_is_not_running_has_no_run_to_close(rule):
    assert rule.run in (RunEffect.KEEP, RunEffect.OPEN, RunEffect.SYNTHETIC)


def test_a_worker_writes_only_with_its_run_and_the_board_closes_only_the_run_it_read():
    assert all(Guard.HOLDS_RUN in rule.guards for rule in WORKERS)
    closing = [rule for rule in RULES if rule.by is By.BOARD and rule.source is Status.RUNNING]
    assert closing
    assert all(Guard.HOLDS_RUN in rule.guards for rule in closing)
    assert not [r for r in RULES if r.by is By.PERSON and Guard.HOLDS_RUN in r.guards]


def test_workers_act_on_running_tasks_only():
    assert {rule.source for rule in WORKERS} == {Status.RUNNING}


@pytest.mark.parametrize("group", groups(), ids=str)
def test_the_rows_of_one_verb_are_told_apart_by_their_guards(group):
    rows = rules_for(*group)
    assert len({rule.guards for rule in rows}) == len(rows)
    for earlier, later in pairwise(rows):
        assert not set(earlier.guards) <= set(later.guards), "the later row could never be taken"


def test_what_a_worker_may_not_lead_out_of_is_a_block():
    out_of_blocked = [rule for rule in RULES if rule.source is Status.BLOCKED]
    assert {rule.by for rule in out_of_blocked} == {By.PERSON, By.BOARD}
    by_board = [rule for rule in out_of_blocked if rule.by is By.BOARD]
    assert {rule.verb for rule in by_board} == {Verb.UNBLOCK}
    assert all(Guard.ANSWERED in rule.guards for rule in by_board), "only the asker's own default"
    assert all(Effect.RESET_FAILURES not in rule.effects for rule in by_board)


def test_the_board_alone_promotes_demotes_and_brings_due():
    for verb in (Verb.PROMOTE, Verb.DEMOTE, Verb.COME_DUE, Verb.RETRY_LATER, Verb.GIVE_UP):
        assert {rule.by for rule in RULES if rule.verb is verb} == {By.BOARD}


def test_every_open_task_can_be_completed_cancelled_and_archived_by_a_person():
    assert set(sources_of(Verb.COMPLETE, By.PERSON)) == set(OPEN)
    assert set(sources_of(Verb.CANCEL, By.PERSON)) == set(OPEN)
    assert set(sources_of(Verb.ARCHIVE, By.PERSON)) == set(Status) - {Status.ARCHIVED}
    assert set(sources_of(Verb.DELETE, By.PERSON)) == set(Status) - {Status.RUNNING}
    assert set(sources_of(Verb.REOPEN, By.PERSON)) == set(ENDED)


def test_a_row_that_ends_in_ready_forgets_no_review_phase():
    """`ready` is the queue of work: whoever leads a reviewed task there says so."""
    for rule in RULES:
        if rule.target is not Status.READY or rule.source is None:
            continue
        same_verb = rules_for(rule.verb, rule.by, rule.source)
        to_review = [r for r in same_verb if r.target is Status.REVIEW]
        says_so = Effect.PHASE_WORK in rule.effects
        never_reviewed = rule.source is Status.READY
        assert says_so or to_review or never_reviewed, rule


def test_an_event_names_one_target_or_the_outcome_does():
    for rule in RULES:
        assert rule.event == EVENT_IS_OUTCOME or rule.event.isidentifier()
    assert {rule.verb for rule in RULES if rule.event == EVENT_IS_OUTCOME} == {Verb.RELEASE}


def test_a_menu_offers_what_the_table_has():
    assert Verb.UNBLOCK in verbs_for(Status.BLOCKED, By.PERSON)
    assert Verb.CLAIM not in verbs_for(Status.READY, By.PERSON)
    assert verbs_for(Status.ARCHIVED, By.PERSON) == (Verb.UNARCHIVE, Verb.DELETE)


def columns_of(effect):
    """The columns that an effect writes."""
    if effect in _FIXED:
        return set(_FIXED[effect])
    task = Task(*range(len(Task._fields)))
    change = Change(
        BOARD, reason="r", summary="s", result="r", metadata="{}", block_kind="transient"
    )
    written = {}
    _GIVEN[effect](written, task, change, 1)
    return set(written)


def test_every_effect_is_carried_out_in_one_way_and_on_columns_of_a_task_s_state():
    assert set(_FIXED) | set(_GIVEN) == set(Effect)
    assert not set(_FIXED) & set(_GIVEN)
    state = Statements("sqlite")["task_apply"].params
    for effect in Effect:
        assert columns_of(effect) <= state


@pytest.mark.parametrize("effects", sorted({rule.effects for rule in RULES}))
def test_no_two_effects_of_a_row_write_the_same_column(effects):
    written = [column for effect in effects for column in columns_of(effect)]
    assert len(written) == len(set(written))
