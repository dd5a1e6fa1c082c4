"""Random walks over the board on each database: short ones for the gate, and for hours by `make soak`.

The gate's walks are the same in every run; the long ones are new each time, and a failing walk is printed
as the shortest one that fails, to be turned into a test of its own.
"""

import os
import shutil
import tempfile
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.model.walk_machine import Walk
from tests.support.board import open_board
from tests.support.places import in_memory, new_files

GATE_WALKS = {"sqlite": 120, "postgres": 50}
STEPS = 60
SOAK_S = float(os.environ.get("SHOPFLOOR_SOAK_S", "1500"))
SOAK_STEPS = 100
SLOW = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]


def walker(shared, folder, template):
    """A walk on boards in the shared database, or in copies of the template: a new one for each walk."""

    def opened():
        place = Path(tempfile.mkdtemp(dir=folder)) / "home"
        if shared is not None:
            shared.wipe()
            return open_board(place, "postgres", shared.url, connections=1)
        shutil.copytree(template, place)
        return open_board(place)

    return type("Walk", (Walk,), {"opened": staticmethod(opened)})


@pytest.fixture
def folder():
    with in_memory() as made:
        yield made


@pytest.mark.parametrize("dialect", ["sqlite", "postgres"])
def test_a_random_walk_keeps_the_board_in_order(dialect, request, folder, tmp_path_factory):
    shared = request.getfixturevalue("board_database") if dialect == "postgres" else None
    machine = walker(shared, folder, new_files(tmp_path_factory))
    walks = settings(
        max_examples=GATE_WALKS[dialect],
        stateful_step_count=STEPS,
        derandomize=True,
        deadline=None,
        database=None,
        suppress_health_check=SLOW,
    )
    if request.config.getoption("--hypothesis-profile") != "soak":
        run_state_machine_as_test(machine, settings=walks)
        return
    long_walks = settings(
        walks,
        max_examples=200,
        stateful_step_count=SOAK_STEPS,
        derandomize=False,
        phases=set(Phase),
    )
    end = time.monotonic() + SOAK_S
    while time.monotonic() < end:
        run_state_machine_as_test(machine, settings=long_walks)
