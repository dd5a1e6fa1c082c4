"""Reading an exit record never raises, whatever lies in its place."""

import json
import os

import pytest

from shopfloor.process import record
from shopfloor.process.record import Damaged, ExitRecord

WHOLE = ExitRecord(run=4, exit_code=1, started_at=1, ended_at=2, guard_refused="no")


def put(folder, data: bytes) -> None:
    (folder / "exit.json").write_bytes(data)


def test_a_record_is_read_as_it_was_written(tmp_path):
    temporary = tmp_path / "worker.json"
    temporary.write_bytes(b"x" * 2000)
    fd = os.open(temporary, record.WRITE_FLAGS)
    record.write(fd, str(temporary), str(tmp_path / "exit.json"), WHOLE)
    os.close(fd)
    assert record.read(str(tmp_path)) == WHOLE
    assert list(tmp_path.iterdir()) == [tmp_path / "exit.json"]


def test_no_file_is_no_record(tmp_path):
    assert record.read(str(tmp_path)) is None
    assert record.examine(str(tmp_path)) is None
    assert record.examine(str(tmp_path / "missing")) is None


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b'{"run": 4, "exit_co',
        b"\xff\xfe",
        b"null",
        b"[]",
        b"{}",
        b'{"run": "4"}',
        b'{"run": true}',
        b'{"run": 4, "exit_code": "one"}',
        b'{"run": 4, "stopped": 1}',
        b'{"run": 4, "stopped": null}',
        b'{"run": 4, "leftovers": 1.5}',
        b"[" * 100_000,
        b"9" * 5_000,
    ],
    ids=str,
)
def test_a_damaged_file_is_no_record_and_says_why(tmp_path, data):
    put(tmp_path, data)
    assert record.read(str(tmp_path)) is None
    found = record.examine(str(tmp_path))
    assert isinstance(found, Damaged)
    assert str(tmp_path) in found.reason


def test_a_folder_in_the_records_place_is_damage(tmp_path):
    (tmp_path / "exit.json").mkdir()
    assert isinstance(record.examine(str(tmp_path)), Damaged)


def test_fields_of_another_version_do_no_harm(tmp_path):
    told = WHOLE._asdict() | {"new": 1}
    del told["user_ms"]
    put(tmp_path, json.dumps(told).encode())
    assert record.read(str(tmp_path)) == WHOLE
