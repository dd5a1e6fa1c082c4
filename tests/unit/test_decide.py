"""Which row of the table applies, for every combination of what a guard may see."""

from itertools import product

import pytest

from shopfloor.domain.errors import GuardFailed, Stale
from shopfloor.domain.lifecycle import RULES, By, Status, Verb, rules_for
from shopfloor.domain.model import Task
from shopfloor.kernel.decide import Facts, decide, holds

PLACES = sorted({(rule.verb, rule.by, rule.source) for rule in RULES if rule.source}, key=str)
BLANK = Task._make([None] * len(Task._fields))._replace(id=7, loop_kind="needs_input")
TASKS = [
    {
        "phase": phase,
        "forced_at": forced,
        "archived_from": before,
        "loop_count": loops,
        "decomposed_at": decomposed,
        "not_before": due,
    }
    for phase, forced, before, loops, decomposed, due in product(
        ("work", "review"), (None, 1), ("ready", "done"), (0, 2), (None, 1), (None, 5, 50)
    )
]
FACTS = [
    Facts(10, parents, holds_run, role, key_free, kind, force=force)
    for parents, holds_run, role, key_free, kind, force in product(
        (0, 2),
        (False, True),
        ("worker", "reviewer"),
        (False, True),
        ("needs_input", "dependency"),
        (False, True),
    )
]


@pytest.mark.parametrize("place", PLACES, ids=str)
def test_either_a_row_holds_or_the_refusal_names_a_guard_that_does_not(place):
    verb, by, source = place
    rows = rules_for(verb, by, source)
    for fields in TASKS:
        task = BLANK._replace(status=source.value, **fields)
        for facts in FACTS:
            try:
                rule = decide(verb, by, task, facts)
            except (GuardFailed, Stale) as refused:
                expect_a_reason(refused, rows, task, facts)
            else:
                first = next(r for r in rows if all(holds(g, task, facts) for g in r.guards))
                assert rule is first


def expect_a_reason(refused, rows, task, facts):
    assert not any(all(holds(guard, task, facts) for guard in rule.guards) for rule in rows)
    assert "#7" in refused.message and "{" not in refused.message
    if isinstance(refused, GuardFailed):
        assert refused.detail["guard"] in {guard for rule in rows for guard in rule.guards}


def test_the_refusal_is_that_of_the_row_that_came_nearest():
    task = BLANK._replace(status=Status.RUNNING.value, loop_count=0)
    waits = Facts(block_kind="dependency", holds_run=True)
    with pytest.raises(GuardFailed, match="waits for no unfinished task") as refused:
        decide(Verb.BLOCK, By.WORKER, task, waits)
    assert refused.value.detail["guard"] == "parents_open"
