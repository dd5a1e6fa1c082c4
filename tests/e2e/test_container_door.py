"""The way of a command into its container: the door, the engine's where there is none, and what dies on it."""

import hashlib
import json

import pytest

from shopfloor.process import proc
from tests.support.container_orders import LIMIT_S, container_of, enqueue, log, over, running
from tests.support.containers import an_engine, home_with
from tests.support.waiting import eventually

LONG = "86400"
WAITS = f"trap 'echo bye; exit 7' TERM; echo begun; sleep {LONG} & wait"
# Stands for an engine in a machine of its own: the folder of a container has the files of ours, and pipes of its own.
WALL = """\
#!/bin/sh
n=$#
while [ "$n" -gt 0 ]; do
  word=$1
  shift
  case $word in
  --volume=*/containers/*:ro)
    ours=${word#--volume=}
    ours=${ours%%:*}
    mkdir -p "$WALLED/${ours##*/}"
    cp "$ours"/*.sh "$WALLED/${ours##*/}"
    for pipe in door ready; do test -p "$ours/$pipe" && mkfifo "$WALLED/${ours##*/}/$pipe"; done
    word=--volume=$WALLED/${ours##*/}:$ours:ro ;;
  esac
  set -- "$@" "$word"
  n=$((n - 1))
done
exec PODMAN "$@"
"""


@pytest.fixture(scope="module")
def engine():
    yield from an_engine()


@pytest.fixture
def home(tmp_path, engine):
    yield from home_with(engine, tmp_path / "h")


@pytest.fixture
def walled(home, engine, tmp_path):
    """The same home, whose engine has no pipes in common with it."""
    place = tmp_path / "wall"
    place.mkdir()
    program = place / "podman"
    program.write_text(WALL.replace("PODMAN", str(engine.folder / "bin" / "podman")))
    program.chmod(0o755)
    home.environment |= {
        "PATH": f"{place}:{engine.environment['PATH']}",
        "WALLED": str(tmp_path / "walled"),
    }
    return home


def seats(home):
    return [path for path in (home.board() / "containers").iterdir() if path.is_dir()]


def image_with(engine, shell):
    """An image whose shell is this one."""
    if shell == "ash":
        return "box"
    engine.add_image(shell, {"sh": f"/bin/{shell}"})
    return shell


def test_no_engine_has_a_part_in_an_attempt_and_no_pipe_of_it_is_left(home):
    home.up()
    order = enqueue(home, "sh", "-c", f"echo begun; sleep {LONG}")
    running(home, order)
    [client] = proc.children(home.supervisor(order).pid)
    assert proc.children(client) == []
    home.ask("order.cancel", id=order)
    over(home, order)
    [seat] = seats(home)
    assert sorted(path.name for path in seat.iterdir() if path.is_fifo()) == ["door"]


def test_where_no_pipe_goes_through_the_engine_brings_each_command_inside(walled):
    walled.up()
    ends = {
        "echo out; echo err >&2; exit 3": ("out\nerr\n", 3, None),
        "kill -KILL $$": ("", None, 9),
        "seq 3": ("1\n2\n3\n", 0, None),
    }
    names = set()
    for words, (text, code, number) in ends.items():
        order = enqueue(walled, "sh", "-c", words)
        last = over(walled, order)["attempts"][0]
        assert (log(walled, order), last["exit_code"], last["exit_signal"]) == (text, code, number)
        names.add(container_of(walled, order))
    [seat] = seats(walled)
    assert names == {seat.name}
    assert [path for path in seat.iterdir() if path.is_fifo()] == []


def test_a_command_that_the_engine_brought_inside_is_stopped_and_its_container_ends_when_idle(
    walled, engine
):
    walled.configure('[runtime]\nidle_timeout = "2s"\n')
    daemon = walled.up()
    order = enqueue(walled, "sh", "-c", WAITS)
    running(walled, order)
    walled.ask("order.cancel", id=order)
    over(walled, order)
    assert log(walled, order) == "begun\nbye\n"
    daemon.kill()
    eventually(lambda: engine.names() == [], limit_s=LIMIT_S)


def test_all_output_arrives_byte_for_byte_also_when_it_is_much(home):
    home.up()
    order = enqueue(home, "sh", "-c", "printf 'a\\000\\377'; seq 2000000")
    record = over(home, order)["attempts"][0]["exit_record"]
    expected = b"a\0\xff" + b"".join(b"%d\n" % n for n in range(1, 2_000_001))
    assert record["output_bytes"] == len(expected)
    assert record["output_sha256"] == hashlib.sha256(expected).hexdigest()


def test_words_that_no_pipe_holds_at_once_arrive_and_no_process_list_shows_the_variables(home):
    home.up()
    words = ["x" * 60_000, "y" * 60_000]
    secret = "only-for-the-command-7261"
    counted = 'echo "${#1} ${#2} $SECRET"; echo begun; read line; echo "$? [$line]"; sleep ' + LONG
    order = enqueue(home, "sh", "-c", counted, "name", *words, env={"SECRET": secret})
    running(home, order)
    eventually(lambda: "[]" in log(home, order))
    # It has nothing to read.
    assert log(home, order) == f"60000 60000 {secret}\nbegun\n1 []\n"
    shown = [proc.read(f"/proc/{one.pid}/cmdline", 1 << 20) or b"" for one in proc.everyone()]
    assert not [line for line in shown if secret.encode() in line]
    home.ask("order.cancel", id=order)
    over(home, order)


def test_a_container_that_is_removed_under_its_command_is_a_crash(home, engine):
    home.up()
    order = enqueue(home, "sh", "-c", f"echo begun; sleep {LONG}")
    running(home, order)
    [seat] = seats(home)
    engine.podman("rm", "--force", "--time", "0", seat.name)
    last = over(home, order)["attempts"][0]
    assert (last["outcome"], last["exit_signal"]) == ("crashed", 9)
    eventually(lambda: seats(home) == [], limit_s=LIMIT_S)


def test_a_command_that_kills_all_it_can_is_a_crash_and_its_container_is_not_used_again(home):
    home.up()
    order = enqueue(home, "sh", "-c", f"kill -KILL -1; sleep {LONG}")
    last = over(home, order)["attempts"][0]
    assert (last["outcome"], last["exit_signal"]) == ("crashed", 9)
    after = enqueue(home, "echo", "after")
    over(home, after)
    assert log(home, after) == "after\n"
    assert container_of(home, after) != container_of(home, order)


@pytest.mark.parametrize("shell", ["ash", "dash", "bash"])
def test_a_command_that_ends_its_whole_group_ends_alone(home, engine, shell):
    image = image_with(engine, shell)
    home.up()
    order = enqueue(home, "sh", "-c", f"sleep {LONG} & kill -TERM 0; wait", image=image)
    last = over(home, order)["attempts"][0]
    assert (last["exit_code"], last["exit_signal"]) == (None, 15)
    after = enqueue(home, "sh", "-c", "echo after", image=image)
    over(home, after)
    assert log(home, after) == "after\n"
    assert container_of(home, after) == container_of(home, order)


@pytest.mark.parametrize("shell", ["ash", "dash", "bash"])
def test_what_attempts_leave_does_not_fill_their_container(home, engine, shell):
    image = image_with(engine, shell)
    home.up()
    names = set()
    for _ in range(4):
        words = f"for n in $(seq 20); do sleep {LONG} & done; (sleep {LONG} &)"
        order = enqueue(home, "sh", "-c", words, image=image, pids=40)
        assert (over(home, order)["exit_status"], log(home, order)) == (0, "")
        names.add(container_of(home, order))
    assert len(names) == 1


def test_what_an_attempt_leaves_writes_neither_into_the_next_log_nor_through_the_door(home):
    home.up()
    talker = "(trap '' TERM HUP; while :; do echo mine; sleep 0; done) & "
    door = 'printf "%s" nonsense >"${SHOPFLOOR_CONTEXT%/*}/door"; echo over'
    order = enqueue(home, "sh", "-c", talker + door)
    assert over(home, order)["exit_status"] == 0
    after = enqueue(home, "sh", "-c", "sleep 0.2; echo after")
    over(home, after)
    assert log(home, after) == "after\n"
    assert container_of(home, after) == container_of(home, order)


def test_an_image_with_a_user_of_its_own_reaches_the_line_too(home, engine, tmp_path):
    engine.add_image("guest", {}, change="USER 1234")
    place = tmp_path / "open"
    place.mkdir()
    place.chmod(0o777)
    home.up()
    order = enqueue(
        home,
        "sh",
        "-c",
        "id -u; echo err >/dev/stderr; exit 4",
        image="guest",
        workspace=f"dir:{place}",
    )
    assert over(home, order)["exit_status"] == 4
    assert log(home, order) == "1234\nerr\n"
    assert [path for path in seats(home) if not path.name.startswith("shopfloor-")] == []


def test_a_container_whose_pid_1_is_not_ours_runs_nothing(home):
    home.configure('[runtime]\narguments = ["--pid=host"]\n')
    home.up()
    order = enqueue(home, "echo", "never")
    end = over(home, order)
    assert (end["order"]["outcome"], log(home, order)) == ("spawn_failed", "")


def test_the_second_command_of_an_attempt_comes_by_the_same_door(home):
    home.configure(
        '[profiles.boxed]\nargv = ["sh", "-c", "echo work"]\nruntime = "container:box"\n'
    )
    home.up()
    task = home.create(assignee="boxed", check=["sh", "-c", "echo check; exit 1"])
    home.becomes(task, "blocked")
    home.is_over(task)
    assert log(home, task) == "work\ncheck\n" * 2
    told = [json.loads((home.run_folder(run) / "container").read_text()) for run in (1, 2)]
    assert {one["name"] for one in told} == {seats(home)[0].name}
