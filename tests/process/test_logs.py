"""Logs stay bounded while they are written, and their end can be read."""

import os
from pathlib import Path

import pytest

from shopfloor.process.logs import CUT, OLDER, LogWriter, Tail, tail
from shopfloor.process.logs import piece as read_on


@pytest.fixture
def path(tmp_path: Path) -> str:
    return str(tmp_path / "logs" / "7.log")


def write(path: str, *pieces: bytes, limit: int = 1000) -> None:
    writer = LogWriter(path, limit)
    for piece in pieces:
        writer.write(piece)
    writer.close()


def test_a_tail_that_begins_with_a_line_keeps_that_line(path):
    write(path, b"an earlier attempt\n", b"one\ntwo\nthree\n")
    assert tail(path, len(b"one\ntwo\nthree\n")).text == "one\ntwo\nthree\n"
    assert tail(path, 0).text == ""


def test_a_flood_of_output_is_bounded_and_its_end_is_kept(floor):
    limit = 256 * 1024
    program = (
        "import os\n"
        "line = b'x' * 999 + b'\\n'\n"
        "for _ in range(20): os.write(1, line * 1000)\n"
        "os.write(1, b'the end\\n')\n"
    )
    spec = floor.python(program, log_limit_bytes=limit)
    ended = floor.run(spec)
    assert ended.exit_code == 0
    assert ended.output_bytes == 20_000_008
    parts = list(Path(spec.log_path).parent.iterdir())
    assert {part.name.removeprefix(Path(spec.log_path).name) for part in parts} == {"", OLDER, CUT}
    assert all(part.stat().st_size <= limit for part in parts)
    assert tail(spec.log_path, 100).text.endswith("the end\n")


def test_a_flood_takes_no_memory_of_the_supervisor_and_a_stop_is_heard_in_it(floor):
    spec = floor.python("import os\nwhile True: os.write(1, b'y' * 65536)", log_limit_bytes=65_536)
    supervisor = floor.go(spec)
    floor.until(Path(spec.log_path + OLDER).exists)
    kib = _private_kib(supervisor.pid)
    assert kib < 3 * 1024
    os.kill(supervisor.pid, 15)
    ended = floor.ended(spec)
    assert ended.stopped
    assert ended.output_bytes > 65_536


def test_somebody_outside_who_holds_the_output_open_does_not_hold_up_the_end(floor):
    os.mkfifo(floor.folder / "gate")
    spec = floor.spec("sh", "-c", "echo said; read gone < gate; exit 3")
    floor.go(spec)
    floor.says(spec, "said")
    outside = os.open(f"/proc/{floor.worker(spec).pid}/fd/1", os.O_WRONLY)
    (floor.folder / "gate").write_text("go\n")
    assert floor.ended(spec).exit_code == 3
    os.close(outside)


def test_a_log_is_turned_over_at_its_limit_and_one_older_part_is_kept(path):
    write(path, *[f"{number:09}\n".encode() for number in range(250)])
    assert Path(path).read_text().splitlines() == [f"{number:09}" for number in range(200, 250)]
    assert Path(path + OLDER).read_text().splitlines()[0] == f"{100:09}"


def test_a_log_whose_beginning_is_gone_says_so_to_who_reads_it_from_there(path):
    lines = [f"{number:09}\n".encode() for number in range(300)]
    write(path, *lines[:200])
    assert not read_on(path, None, 10_000).lost and not tail(path, 10_000).truncated
    first = read_on(path, None, 500)
    write(path, *lines[200:250])
    begun = read_on(path, None, 10_000)
    assert begun.lost and begun.data == b"".join(lines[100:250])
    assert tail(path, 10_000).truncated
    assert read_on(path, first.next, 10_000).lost
    assert not read_on(path, begun.next, 10_000).lost
    for turns in range(1, 5):
        write(path, *(b"%09d\n" % number for number in range(100 * turns)))
        assert read_on(path, begun.next, 10_000).lost == (turns > 1)
        begun = read_on(path, None, 10_000)


def test_one_piece_larger_than_the_limit_is_kept_whole(path):
    write(path, b"a" * 10, b"b" * 5000)
    assert Path(path).read_bytes() == b"b" * 5000


def test_a_log_of_an_earlier_run_counts_to_the_limit(path):
    write(path, b"a" * 900)
    write(path, b"b" * 200)
    assert Path(path).read_bytes() == b"b" * 200
    assert Path(path + OLDER).read_bytes() == b"a" * 900


def test_no_output_makes_no_file(path):
    write(path)
    assert not Path(path).exists()
    assert tail(path, 100) == Tail("", truncated=False, exists=False, size=0)


def test_a_short_log_is_read_whole(path):
    write(path, b"one\ntwo\n")
    assert tail(path, 100) == Tail("one\ntwo\n", truncated=False, exists=True, size=8)


def test_a_tail_begins_at_a_line(path):
    write(path, b"".join(f"line {number}\n".encode() for number in range(100)))
    found = tail(path, 50)
    assert found.truncated
    assert found.text.startswith("line 9")
    assert found.text.endswith("line 99\n")


def test_a_tail_reads_on_into_the_older_part(path):
    write(path, b"old one\n" * 110, b"new\n" * 100)
    found = tail(path, 800)
    assert found.text.endswith("old one\n" + "new\n" * 100)
    assert found.text.startswith("old one\n")
    assert found.size == 880 + 400


def test_a_tail_of_only_the_older_part_exists(path):
    write(path, b"x\n")
    Path(path).rename(path + OLDER)
    assert tail(path, 100) == Tail("x\n", truncated=False, exists=True, size=2)


def test_the_tail_of_one_huge_line_is_its_end(path):
    write(path, b"a" * 500 + b"the end", limit=10_000)
    assert tail(path, 100).text == "a" * 93 + "the end"
    write(path, b"\nmore", limit=10_000)
    assert tail(path, 100).text == "a" * 88 + "the end\nmore"


def test_a_tail_never_begins_inside_a_character(path):
    write(path, "ä€😀".encode() * 100, limit=10_000)
    for limit in range(20, 40):
        assert "�" not in tail(path, limit).text


def test_bytes_that_are_not_text_are_replaced(path):
    write(path, b"ok \xff\xfe ok\n")
    assert tail(path, 100).text == "ok �� ok\n"


def test_a_limit_of_nothing_reads_nothing(path):
    write(path, b"abc\n")
    assert tail(path, 0) == Tail("", truncated=True, exists=True, size=4)


def _private_kib(pid: int) -> int:
    text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    return sum(int(line.split()[1]) for line in text.splitlines() if line.startswith("Private_"))
