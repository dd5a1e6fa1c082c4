"""The ends of processes are learned without being their parent."""

import os
import select
import signal
import subprocess
from collections.abc import Iterator

import pytest

from shopfloor.process import identity
from shopfloor.process.watch import ExitWatch


@pytest.fixture
def watch() -> Iterator[ExitWatch[str]]:
    made: ExitWatch[str] = ExitWatch()
    yield made
    made.close()


@pytest.fixture
def child() -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(["sleep", "600"]) as made:
        yield made
        made.kill()


def of(child):
    return identity.of(child.pid)


def test_an_end_is_told_once(watch, child):
    assert watch.add("a", of(child))
    assert watch.ready() == []
    child.kill()
    assert select.select([watch.fileno()], [], [], 90)[0]
    assert watch.ready() == ["a"]
    assert watch.ready() == []


def test_watching_does_not_collect_the_child(watch, child):
    watch.add("a", of(child))
    os.kill(child.pid, signal.SIGTERM)
    select.select([watch.fileno()], [], [], 90)
    watch.ready()
    assert child.wait() == -signal.SIGTERM


def test_the_end_of_a_process_that_is_nobodys_child_here_is_told(watch, floor):
    spec = floor.spec("true")
    pending = floor.wait_at_pipe(spec)
    assert watch.add("run", pending.identity)
    pending.go()
    assert select.select([watch.fileno()], [], [], 90)[0]
    assert watch.ready() == ["run"]
    assert floor.ended(spec).exit_code == 0


def test_a_dead_process_is_not_watched(watch, child):
    told = of(child)
    child.kill()
    child.wait()
    assert not watch.add("a", told)


def test_a_number_that_was_given_again_is_not_watched(watch, child):
    assert not watch.add("a", of(child)._replace(started=1))


def test_what_was_removed_is_told_no_more(watch, child):
    watch.add("a", of(child))
    watch.remove("a")
    watch.remove("a")
    child.kill()
    child.wait()
    assert watch.ready() == []


def test_a_key_is_watched_for_its_last_process(watch, child):
    with subprocess.Popen(["sleep", "600"]) as other:
        watch.add("a", of(other))
        watch.add("a", of(child))
        other.kill()
        other.wait()
        assert watch.ready() == []
    child.kill()
    assert select.select([watch.fileno()], [], [], 90)[0]
    assert watch.ready() == ["a"]
