"""Messages through a real `shop up`: whatever the receiver does and whoever dies, nothing is lost or done again."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from shopfloor.daemon import deliveries as sending
from shopfloor.domain.errors import Unavailable
from shopfloor.sinks import apprise
from tests.support.board import open_board
from tests.support.home import Home, home_in
from tests.support.http_sink import HttpSink, http_sink
from tests.support.telling import SOON, finish, subscribed, told
from tests.support.waiting import eventually

# No message is too late here, however slow the machine is; one test is about those that are.
PATIENT = '[web]\nport = 0\n[notify]\ntimeout = "60s"\n'


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    yield from home_in(tmp_path / "h")


@pytest.fixture
def sink() -> Iterator[HttpSink]:
    with http_sink() as server:
        yield server


def subscribe(home, target, **args):
    return home.ask("subscription.add", target=target, **args)["id"]


def deliveries(home, **args):
    """The deliveries, oldest first."""
    return home.ask("delivery.list", limit=1_000, **args)["items"][::-1]


def ends(home, state, count=1):
    """Wait until so many deliveries have a state."""

    def found():
        rows = deliveries(home, states=[state])
        return rows if len(rows) >= count else None

    return eventually(found)


def worked(home):
    """A task whose work is done once, and can be seen to be."""
    log = home.folder / "worked"
    return home.create_command(["sh", "-c", f"echo once >> {log}"]), log


def test_a_completed_task_is_told_at_once_and_its_message_links_to_its_page(home, sink):
    home.configure(PATIENT)
    home.up()
    subscribe(home, f"webhook:{sink.url}/")
    task, _ = worked(home)
    eventually(lambda: sink.received)
    message = sink.received[0].message
    assert message["task"] == task and message["title"].startswith(f"✔ #{task}")
    assert message["link"].endswith(f"/b/default/t/{task}")
    [row] = ends(home, "sent")
    assert (row["sends"], row["error"]) == (1, None)


@pytest.mark.parametrize("answer", [502, "reset", "hang", (429, {"Retry-After": "3600"})])
def test_a_message_that_did_not_arrive_waits_and_the_work_is_not_done_again(home, sink, answer):
    sink.answers = [answer]
    home.configure(PATIENT.replace("60s", "1s") if answer == "hang" else PATIENT)
    daemon = home.up()
    subscribe(home, f"webhook:{sink.url}/")
    task, log = worked(home)
    [row] = eventually(lambda: [one for one in deliveries(home) if one["error"]])
    assert row["state"] == "waiting" and row["next_at"] is not None
    assert home.task(task)["status"] == "done" and home.outcomes(task) == ["completed"]
    [line] = home.ask("task.list")["items"]
    assert line["undelivered"] == row["error"]
    if answer == "hang":
        # From now on no answer is too late.
        daemon.term()
        home.configure(PATIENT)
        home.up()
    home.ask("delivery.retry", id=row["id"])
    [row] = ends(home, "sent")
    # Twice, or more often where the machine is so slow that the board's own next try came in between.
    assert len(sink.received) == row["sends"] >= 2
    assert len({(one.key, one.body) for one in sink.received}) == 1
    assert log.read_text() == "once\n"


def test_retry_after_is_when_it_is_tried_again(home, sink):
    sink.answers = [(429, {"Retry-After": "1"}), (503, {"Retry-After": "1"})]
    home.configure(PATIENT)
    home.up()
    subscribe(home, f"webhook:{sink.url}/")
    worked(home)
    [row] = ends(home, "sent")
    assert row["sends"] == 3 and len({*sink.keys}) == 1


def test_a_daemon_that_is_killed_between_send_and_record_repeats_the_message_once(home, sink):
    sink.answers = ["hold"]
    home.configure(PATIENT)
    daemon = home.up()
    subscribe(home, f"webhook:{sink.url}/")
    task, log = worked(home)
    eventually(lambda: sink.received)
    daemon.kill()
    sink.let_go.set()
    home.up()
    [row] = ends(home, "sent")
    assert row["sends"] == 2 and len(sink.received) == 2 and len({*sink.keys}) == 1
    assert log.read_text() == "once\n" and home.outcomes(task) == ["completed"]


def test_what_was_stored_while_no_daemon_ran_is_sent_by_the_next_one(home, sink):
    home.configure(PATIENT)
    subscribe(home, f"webhook:{sink.url}/")
    for _ in range(3):
        home.ask("task.complete", id=home.create(), summary="by hand")
    assert sink.received == []
    home.up()
    ends(home, "sent")
    assert len(sink.received) == 1 and sink.received[0].message["count"] == 3
    assert len(ends(home, "carried", 2)) == 2


def test_a_target_that_hangs_delays_no_other(home, sink):
    home.configure(PATIENT)
    home.up()
    hanging = 8
    sink.answers = ["hang"] * hanging
    for number in range(hanging):
        subscribe(home, f"webhook:{sink.url}/hang/{number}")
    worked(home)
    eventually(lambda: len(sink.received) == hanging)
    subscribe(home, f"webhook:{sink.url}/well", kinds=["created"])
    home.create()
    ends(home, "sent")
    assert sink.received[-1].path == "/well"
    assert len(ends(home, "sending", hanging)) == hanging
    sink.let_go.set()


def test_services_that_hang_behind_apprise_delay_no_other(home, sink):
    home.configure(PATIENT.replace("60s", "10m"))
    home.up()
    hanging = apprise.AT_ONCE_MAX
    sink.answers = ["hang"] * hanging
    address = sink.url.removeprefix("http")
    for number in range(hanging):
        subscribe(home, f"apprise:json{address}/hang/{number}?rto=600", kinds=["completed"])
    worked(home)
    eventually(lambda: len(sink.received) == hanging)
    subscribe(home, f"apprise:json{address}/well", kinds=["created"])
    home.create()
    ends(home, "sent")
    assert sink.received[-1].path == "/well"
    assert len(ends(home, "sending", hanging)) == hanging
    sink.let_go.set()


def test_a_lane_stays_while_nothing_can_be_written_and_goes_on_then(sink, tmp_path, monkeypatch):
    """It is not begun anew for that: what is begun rings, and what rings is begun."""
    monkeypatch.setattr(sending, "AGAIN_S", 0.01)
    full = ["the disk is full"] * 3

    def probe(name):
        if name == "delivery_begin" and full:
            raise Unavailable(full.pop())

    board = open_board(tmp_path / "board", probe=probe)
    try:
        subscribed(board, f"webhook:{sink.url}/")
        finish(board, board.create())
        board.clock.advance(SOON)
        lanes = sending.Deliveries(board.service, lambda: None, host="here", base={})
        lanes.look()
        eventually(lambda: sink.received)
        lanes.close()
        assert full == [] and [one.state for one in told(board)] == ["sent"]
    finally:
        board.close()


def test_a_missing_file_gives_the_message_up_at_once_with_that_reason(home, sink):
    sink.answers = [502]
    home.configure(PATIENT)
    home.up()
    task = home.create()
    subscribe(home, f"webhook:{sink.url}/", task=task, files=True)
    home.ask("task.attach", id=task, name="a.txt", content="aGVsbG8=")
    home.ask("task.complete", id=task, summary="see the file")
    [row] = eventually(lambda: [one for one in deliveries(home) if one["error"]])
    assert sink.received[0].message["files"][0]["content"] == "aGVsbG8="
    (home.board() / "attachments" / str(task) / "a.txt").unlink()
    home.ask("delivery.retry", id=row["id"])
    [row] = ends(home, "given_up")
    assert row["error"] == f"its stored file 'a.txt' of #{task} is missing"
    assert len(sink.received) == 1
    assert home.kinds(task)[-1] == "undelivered"
    told = home.shop("list").stdout + home.shop("show", str(task)).stdout
    assert "✉" in told and f"shop notify retry {row['id']}" in told


def test_fifty_tasks_that_end_together_are_few_messages(home, sink):
    home.configure(PATIENT)
    home.up()
    tasks = [home.create() for _ in range(50)]
    subscribe(home, f"webhook:{sink.url}/")
    home.ask("task.complete", ids=tasks)
    eventually(lambda: sum(one.message["count"] for one in sink.received) == 50)
    assert len(sink.received) <= 5
    told = [event["task"] for one in sink.received for event in one.message["events"]]
    assert sorted(told) == tasks


def test_a_test_message_says_whether_it_arrived_with_and_without_a_daemon(home, sink):
    home.configure(PATIENT)
    for round_ in range(2):
        assert "sent" in home.shop("notify", "test", f"webhook:{sink.url}/").stdout
        sink.answers = [502]
        failed = home.shop("notify", "test", f"webhook:{sink.url}/")
        assert failed.returncode == 75 and "502" in failed.stderr
        assert len(sink.received) == 2 + 2 * round_
        if round_ == 0:
            home.up()
    [*_, row] = deliveries(home)
    assert row["state"] == "given_up"


def test_without_a_daemon_a_pass_sends_what_is_due(home, sink):
    home.configure(PATIENT)
    subscribe(home, f"webhook:{sink.url}/")
    home.ask("task.complete", id=home.create(), summary="by hand")
    eventually(lambda: home.shop("dispatch").returncode == 0 and sink.received)
    [row] = deliveries(home)
    assert row["state"] == "sent" and len(sink.received) == 1


def test_a_daemon_that_stops_writes_down_what_it_has_sent(home, sink):
    sink.answers = ["hold"]
    home.configure(PATIENT)
    daemon = home.up()
    subscribe(home, f"webhook:{sink.url}/")
    worked(home)
    eventually(lambda: sink.received)
    daemon.process.terminate()
    eventually(lambda: "stopping" in daemon.log())
    sink.let_go.set()
    daemon.wait()
    [row] = deliveries(home)
    assert row["state"] == "sent" and len(sink.received) == 1
