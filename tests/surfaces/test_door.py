"""The door, its desk and its visitors: real sockets and a real board, in this process."""

import json
import socket
import stat
import threading
from contextlib import suppress

import pytest

from shopfloor.daemon import desk as desk_module
from shopfloor.daemon import door as door_module
from shopfloor.daemon import visitor as visitor_module
from shopfloor.domain.errors import Unavailable
from tests.support.waiting import eventually
from tests.surfaces.door_place import Place


@pytest.fixture
def place(tmp_path, monkeypatch):
    # A board that `hold` keeps for long, or that a slow machine does, stays at the desk.
    monkeypatch.setattr(desk_module, "PATIENCE_S", 3_600.0)
    monkeypatch.setattr(visitor_module, "STALLED_S", 3_600.0)
    made = Place(tmp_path / "home")
    yield made
    made.close()
    assert made.said == []


def together(place, *requests):
    """Send each request as a guest of its own, all for the same turn of the desk; the answers."""
    guests = [place.guest() for _ in requests]
    for guest in guests:
        assert "result" in guest.ask("stats.show")
    let_go = place.hold()
    for guest, (op, args) in zip(guests, requests, strict=True):
        guest.send(op, **args)
    let_go()
    return [guest.hear() for guest in guests]


def test_the_socket_belongs_to_its_user_alone(place):
    assert stat.S_IMODE(place.home.socket.stat().st_mode) == 0o600


def test_requests_of_several_visitors_share_a_commit_and_a_refused_one_is_undone_alone(place):
    first, refused, second = together(
        place,
        ("task.create", {"title": "first"}),
        ("task.block", {"id": 99, "reason": "there is none"}),
        ("task.create", {"title": "second"}),
    )
    assert refused["error"]["code"] == "not_found"
    titles = [answer["result"]["task"]["title"] for answer in (first, second)]
    assert titles == ["first", "second"]
    # The commit of the work that held the desk, and one for the three.
    assert place.asked.count("commit") == 2
    assert place.asked.count("savepoint") == 3
    assert place.asked.count("rollback") == 1


def test_a_commit_that_fails_is_unavailable_to_its_whole_group_which_may_ask_again(place):
    guests = [place.guest() for _ in range(3)]
    for guest in guests:
        assert "result" in guest.ask("stats.show")
    let_go = place.hold()
    for number, guest in enumerate(guests):
        guest.send("task.create", f"r{number}", title=f"task {number}")
    place.full = True
    let_go()
    answers = [guest.hear() for guest in guests]
    assert [answer["error"]["code"] for answer in answers] == ["unavailable"] * 3
    assert place.count() == 0
    for number, guest in enumerate(guests):
        again = guest.ask("task.create", f"r{number}", title=f"task {number}")
        assert again["result"]["task"]["title"] == f"task {number}"
    assert place.count() == 3


def test_a_request_sent_again_gets_the_stored_answer_also_on_its_direct_way(place):
    guest, other = place.guest(), place.guest()
    task = guest.create()
    run = guest.ask("run.claim", id=task)["result"]
    done = guest.ask("task.complete", "once", run, id=task, summary="done")
    assert done["result"]["status"] == "done"
    assert other.ask("task.complete", "once", run, id=task, summary="done") == done
    assert "conflict" in str(other.ask("task.complete", "once", run, id=task, summary="else"))


def test_a_completion_with_something_to_do_outside_takes_the_long_way(place):
    guest = place.guest()
    task = guest.create()
    run = guest.ask("run.claim", id=task)["result"]
    scratch = place.folder.path / "workspaces" / str(task)
    scratch.mkdir(parents=True)
    (scratch / "draft").write_text("…")
    assert guest.ask("task.complete", "c", run, id=task)["result"]["status"] == "done"
    assert not scratch.exists()
    other = guest.create()
    scratch = place.folder.path / "workspaces" / str(other)
    scratch.mkdir()
    assert guest.ask("task.archive", id=other)["result"]["status"] == "archived"
    assert not scratch.exists()
    third = guest.create()
    refused = guest.ask("task.complete", id=third, artifacts=["not-there"])
    assert refused["error"]["code"] == "invalid"
    assert place.count() == 1


def test_a_read_sees_what_another_visitor_was_told(place):
    writer, reader = place.guest(), place.guest()
    for _ in range(20):
        task = writer.create()
        assert reader.ask("task.show", id=task)["result"]["task"]["id"] == task
        assert reader.ask("task.why", id=task)["result"]["task"] == task
        assert task in [one["id"] for one in reader.ask("task.list")["result"]["items"]]
        assert reader.ask("event.list", id=task)["result"]["events"]


def test_a_visitor_who_does_not_read_holds_nobody_and_still_gets_all_of_his_answer(place):
    slow, quick = place.guest(), place.guest()
    large = "x" * 250_000
    task = quick.create(body=large, title="large")
    shown = quick.ask("task.show", id=task)
    for _ in range(4):
        slow.send("task.show", id=task)
    assert slow.socket.recv(1, socket.MSG_PEEK) == b"{"
    for _ in range(50):
        quick.create()
    assert [slow.hear()["result"]["task"] for _ in range(4)] == [shown["result"]["task"]] * 4
    assert slow.create() == 52


def test_a_visitor_who_sends_half_a_request_holds_nobody_and_may_send_the_rest(place):
    slow, quick = place.guest(), place.guest()
    request = b'{"op": "task.create", "args": {"title": "in pieces"}}\n'
    slow.socket.sendall(request[:20])
    for number in range(20):
        assert quick.create() == number + 1
    for place_of in range(20, len(request)):
        slow.socket.sendall(request[place_of : place_of + 1])
    assert slow.hear()["result"]["task"]["title"] == "in pieces"


def test_who_leaves_something_half_done_for_too_long_is_parted_from(place, monkeypatch):
    half, idle, unread = place.guest(), place.guest(), place.guest()
    task = idle.create(body="x" * 250_000)
    # From now on: on a slow machine what is large is half done for as long, too.
    monkeypatch.setattr(visitor_module, "STALLED_S", 0.05)
    monkeypatch.setattr(desk_module, "LOOK_EVERY_S", 0.01)
    half.socket.sendall(b'{"op": ')
    for _ in range(4):
        unread.send("task.show", id=task)
    assert half.hear() is None
    eventually(lambda: len(place.door._visitors) == 1)
    heard = 0
    # A door that has not read all that was sent to it parts with a reset.
    with suppress(ConnectionResetError):
        while data := unread.socket.recv(1 << 16):
            heard += len(data)
    assert heard < 4 * 250_000
    assert idle.create() == 2


def test_a_visitor_gone_in_the_middle_of_a_request_leaves_nothing_behind(place):
    guests = [place.guest() for _ in range(10)]
    for guest in guests:
        guest.socket.sendall(b'{"op": "task.create", "args": {"title": "never')
        guest.socket.close()
    stays = place.guest()
    assert stays.create() == 1
    eventually(lambda: len(place.door._visitors) == 1)
    assert place.count() == 1


def test_a_visitor_gone_before_his_answer_finds_it_when_he_asks_again(place):
    guest, other = place.guest(), place.guest()
    assert other.create() == 1
    let_go = place.hold()
    guest.send("task.create", "r1", title="once")
    guest.socket.close()
    let_go()
    eventually(lambda: place.count() == 2)
    assert other.ask("task.create", "r1", title="once")["result"]["task"]["id"] == 2
    assert place.count() == 2


def test_several_requests_in_one_piece_are_answered_one_after_the_other(place):
    guest = place.guest()
    requests = [{"op": "task.create", "args": {"title": f"task {n}"}} for n in range(30)]
    requests.insert(15, {"op": "task.list", "args": {"limit": 100}})
    guest.socket.sendall(b"".join(json.dumps(one).encode() + b"\n" for one in requests))
    guest.socket.shutdown(socket.SHUT_WR)
    answers = [guest.hear()["result"] for _ in requests]
    assert len(answers.pop(15)["items"]) == 15
    assert [one["task"]["title"] for one in answers] == [f"task {n}" for n in range(30)]
    assert guest.hear() is None


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (b"", "invalid"),
        (b"not json", "invalid"),
        (b"[1, 2]", "invalid"),
        (b'{"op": "task.create", "args": {}}', "invalid"),
        (b'{"op": "task.create", "args": {"title": "x"}, "more": 1}', "invalid"),
        (b'{"op": "task.dance"}', "not_found"),
        (b'{"op": "task.list", "board": "elsewhere"}', "unavailable"),
        (b'{"op": "task.list", "run": 1}', "forbidden"),
        (b'{"op": "task.create", "args": {"title": "\xff\xfe"}}', "invalid"),
    ],
)
def test_what_is_no_request_is_refused_and_the_conversation_goes_on(place, line, code):
    guest = place.guest()
    guest.socket.sendall(line + b"\n")
    assert guest.hear()["error"]["code"] == code
    assert guest.create() == 1


def test_a_request_that_is_too_long_is_refused_when_it_has_ended_and_not_kept(place, monkeypatch):
    monkeypatch.setattr(visitor_module, "REQUEST_BYTES_MAX", 200_000)
    guest, other = place.guest(), place.guest()
    guest.socket.sendall(b"x" * 150_000)
    guest.socket.sendall(b"x" * 3_000_000)
    assert other.create() == 1
    guest.socket.sendall(b"\n")
    assert guest.hear()["error"]["code"] == "limit_reached"
    assert guest.create() == 2


def test_one_visitor_too_many_is_told_so(place, monkeypatch):
    monkeypatch.setattr(door_module, "VISITORS_MAX", 3)
    guests = [place.guest() for _ in range(3)]
    for guest in guests:
        assert "result" in guest.ask("stats.show")
    refused = place.guest()
    assert refused.hear()["error"]["message"] == "the door serves 3 connections already"
    guests[0].socket.close()
    eventually(lambda: len(place.door._visitors) == 2)
    assert place.guest().create() == 1


def test_who_was_heard_before_the_door_closed_is_answered_and_the_others_are_parted_from(place):
    asking, idle, half = place.guest(), place.guest(), place.guest()
    for guest in (asking, idle, half):
        assert "result" in guest.ask("stats.show")
    half.socket.sendall(b'{"op": "task')
    let_go = place.hold()
    asking.send("task.create", "r1", title="once")
    closing = threading.Thread(target=place.door.close)
    closing.start()
    eventually(lambda: not place.home.socket.exists())
    let_go()
    closing.join(90)
    assert asking.hear()["result"]["task"]["id"] == 1
    assert asking.hear() is None
    assert idle.hear() is None
    assert half.hear() is None
    with pytest.raises((FileNotFoundError, ConnectionRefusedError)):
        place.guest()


def test_what_could_not_be_done_any_more_is_told_to_nobody(place):
    """The visitor finds the connection closed, and asks the next door the same."""
    guest = place.guest()
    assert guest.create() == 1
    let_go = place.hold()
    guest.send("task.create", "r1", title="once")
    closing = threading.Thread(target=place.owner.close)
    closing.start()
    eventually(lambda: place.owner._closed)
    place.door._reception.closing = True
    let_go()
    closing.join(90)
    assert guest.hear() is None


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_desk_that_ended_by_a_mistake_leaves_nobody_waiting(place):
    def leave():
        raise SystemExit

    place.desk.soon(leave)
    eventually(lambda: not place.desk.alive)
    with pytest.raises(Unavailable, match="being closed"):
        place.owner.write(lambda tx: tx.now)


def test_a_mistake_of_one_thing_at_the_desk_ends_nothing_else(place, capfd):
    place.desk.soon(lambda: 1 / 0)
    assert place.guest().create() == 1
    assert "ZeroDivisionError" in capfd.readouterr().err


def test_a_board_that_kept_the_desk_waiting_goes_on_in_a_thread_of_its_own(place, monkeypatch):
    guest, other = place.guest(), place.guest()
    assert guest.create() == 1
    monkeypatch.setattr(desk_module, "PATIENCE_S", -1.0)
    assert place.owner.summons
    let_go = place.hold()
    guest.send("task.create", title="at the same time")
    let_go()
    assert guest.hear()["result"]["task"]["id"] == 2
    eventually(lambda: not place.owner.summons)
    # The desk answers others while this board is held up.
    let_go = place.hold()
    guest.send("task.create", title="waits")
    assert other.ask("task.dance")["error"]["code"] == "not_found"
    assert other.ask("task.show", id=2)["result"]["task"]["title"] == "at the same time"
    let_go()
    assert guest.hear()["result"]["task"]["id"] == 3
    assert guest.ask("task.why", id=3)["result"]["task"] == 3
