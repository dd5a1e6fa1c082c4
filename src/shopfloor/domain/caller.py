"""Who asks: a person, the worker of one run, or the board itself."""

from __future__ import annotations

from typing import NamedTuple

from shopfloor.domain.lifecycle import By


class Caller(NamedTuple):
    """Who stands behind a request; `run_id` and `token` are a worker's credentials."""

    by: By
    name: str
    run_id: int | None = None
    token: str | None = None


BOARD = Caller(By.BOARD, "dispatcher")


def person(name: str) -> Caller:
    """A person, or a program that acts for one."""
    return Caller(By.PERSON, name)


def worker(run_id: int, token: str) -> Caller:
    """The worker that claims to hold a run; whether it does is for the fencing to say."""
    return Caller(By.WORKER, f"run {run_id}", run_id, token)
