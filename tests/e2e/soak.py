"""The chaos of `test_chaos.py` for a long time, with another seed in each round: part of `make soak`.

The seed of a round is in its name, so a failure says which one to run again: `-k seed_123`.  The first
seed and the number of rounds are taken from SOAK_SEED and SOAK_ROUNDS.
"""

import os
import time

import pytest

from tests.support.chaos import Chaos

FIRST = int(os.environ.get("SOAK_SEED") or time.time())
ROUNDS = int(os.environ.get("SOAK_ROUNDS") or 50)
SEEDS = range(FIRST, FIRST + ROUNDS)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("seed", SEEDS, ids=[f"seed_{seed}" for seed in SEEDS])
def test_whatever_is_killed_in_whatever_order_nothing_is_lost_and_nothing_done_twice(
    home, notes, seed
):
    chaos = Chaos(home, notes, tasks=400, seed=seed, pause_s=0.05 * (1 + seed % 4))
    try:
        chaos.run(limit_s=500)
        chaos.check()
    finally:
        chaos.close()
        print(f"seed {seed}, killed: {dict(chaos.killed)}")
