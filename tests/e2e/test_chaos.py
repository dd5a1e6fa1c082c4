"""Two hundred tasks while something is killed ten times a second: nothing lost, nothing done twice."""

import pytest

from tests.support.chaos import Chaos

SEED = 1


@pytest.mark.timeout(900)
def test_whatever_is_killed_every_task_is_done_and_no_run_did_its_work_twice(home, notes):
    chaos = Chaos(home, notes, tasks=200, seed=SEED, pause_s=0.1)
    try:
        chaos.run(limit_s=700)
        chaos.check()
    finally:
        chaos.close()
        print(f"killed: {dict(chaos.killed)}")
