"""Two hosts on one board in PostgreSQL: each message is sent by one of them, and a host that dies loses none."""

from collections import Counter

import pytest

from tests.e2e.test_two_hosts import BOARD, joined
from tests.support.home import home_in
from tests.support.http_sink import http_sink
from tests.support.waiting import eventually

SUBSCRIPTIONS = 40


@pytest.fixture
def other(tmp_path):
    yield from home_in(tmp_path / "other", host="there")


@pytest.fixture
def sink():
    with http_sink() as server:
        yield server


def subscribe(home, target, **args):
    home.ask("subscription.add", board=BOARD, target=target, **args)


def sent(home):
    page = home.ask("delivery.list", board=BOARD, states=["sent"], limit=1_000)
    return page["items"]


def test_two_hosts_send_each_message_once(postgres_url, home, other, sink):
    for one in (home, other):
        joined(one, postgres_url, lease="60s", cap=2).up()
    tasks = []
    for number in range(SUBSCRIPTIONS):
        task = home.ask("task.create", board=BOARD, title=f"task {number}")["task"]["id"]
        subscribe(home, f"webhook:{sink.url}/{number % 4}", task=task)
        tasks.append(task)
    home.ask("task.complete", board=BOARD, ids=tasks)
    eventually(lambda: len(sent(home)) == SUBSCRIPTIONS, limit_s=250)
    assert Counter(one.message["task"] for one in sink.received) == Counter(tasks)
    assert max(Counter(sink.keys).values()) == 1


def test_what_a_host_was_sending_when_it_died_is_sent_again_by_it_at_its_next_start(
    postgres_url, home, other, sink
):
    sink.answers = ["hold"]
    for one in (home, other):
        joined(one, postgres_url, lease="60s", cap=2)
    dying = home.up()
    task = other.ask("task.create", board=BOARD, title="a task")["task"]["id"]
    subscribe(other, f"webhook:{sink.url}/", task=task)
    other.ask("task.complete", board=BOARD, id=task)
    eventually(lambda: sink.received)
    dying.kill()
    sink.let_go.set()
    other.up()
    home.up()
    eventually(lambda: sent(other))
    assert len(sink.received) == 2 and len({*sink.keys}) == 1
