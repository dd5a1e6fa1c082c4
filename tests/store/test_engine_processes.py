"""Processes that are killed, and many processes on one file: nothing that was acknowledged is lost.

Each process says what was acknowledged to it, and all of that must be in the file.  Eight that open
and close a connection for each operation are not how a board is used, where one process writes; but
nothing may be lost when it is.
"""

import subprocess
import sys
from pathlib import Path

from shopfloor.store import health

ROOT = Path(__file__).resolve().parents[2]
PROCESSES = 8
EACH_AT_LEAST = 5
SECONDS = 3

HAMMER = """
import sys, time
sys.path.insert(0, {root!r})
from pathlib import Path
from shopfloor.domain.errors import Unavailable
from shopfloor.store import migrate
from shopfloor.store.sqlite import SqliteDatabase
from shopfloor.store.statements import Statements

path, sql, name, seconds, at_least = sys.argv[1:]
statements = Statements("sqlite", Path(sql))
print("here", flush=True)
sys.stdin.readline()
deadline = time.monotonic() + float(seconds)
number = 0
while number < int(at_least) or time.monotonic() < deadline:
    db = SqliteDatabase(path, clock=lambda: 0, statements=statements)
    word = f"{{name}} {{number}} " + "x" * (number % 50 * 60)
    def work(tx):
        note = tx.one("note_add", word=word, size=1)[0]
        tx.run("note_grow", id=note)
        tx.defer("trace_add", note_id=note, what=word)
        return note
    try:
        note = db.write(work)
        assert db.read(lambda tx: tx.one("note_get", id=note))[1] == word
        print(word.strip(), flush=True)
    except Unavailable as busy:
        # Not acknowledged; somebody else wrote for longer than anybody waits.
        assert "held by another process" in str(busy), busy
    db.close()
    number += 1
"""


def test_nothing_that_was_acknowledged_is_lost_among_eight_writing_processes(notes_file, tmp_path):
    script = HAMMER.format(root=str(ROOT))
    arguments = [tmp_path / "board.db", tmp_path / "sql"]
    hammers = [
        subprocess.Popen(
            [sys.executable, "-c", script, *arguments, str(name), str(SECONDS), str(EACH_AT_LEAST)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for name in range(PROCESSES)
    ]
    for hammer in hammers:
        assert hammer.stdout.readline() == "here\n"
    for hammer in hammers:
        hammer.stdin.write("go\n")
        hammer.stdin.flush()
    acknowledged = set()
    for hammer in hammers:
        said, failed = hammer.communicate(timeout=120)
        assert (hammer.returncode, failed) == (0, "")
        acknowledged |= set(said.splitlines())
    assert len(acknowledged) >= PROCESSES
    notes = notes_file()
    there = {word.strip() for (word,) in notes.read(lambda tx: tx.all("note_words"))}
    assert acknowledged - there == set()
    assert notes.read(lambda tx: tx.one("note_sums"))[1] == 2
    counts = notes.read(lambda tx: (tx.one("note_count"), tx.one("trace_count")))
    assert counts[0] == counts[1]
    assert health.full_check(notes) == []
    assert health.kept_copies(notes.path) == []


KILLED = """
import sys, threading
sys.path.insert(0, {root!r})
from pathlib import Path
from shopfloor.store import migrate
from shopfloor.store.owner import Owner
from shopfloor.store.statements import Statements

path, sql, steps = sys.argv[1:]
owner = Owner(migrate.open_sqlite(path, create=False, clock=lambda: 0, known=migrate.steps(Path(steps)), statements=Statements("sqlite", Path(sql))))
printing = threading.Lock()
started = sys.argv[0]

def client(name):
    number = 0
    while True:
        word = f"{{name}} {{number}}"
        def work(tx, word=word):
            note = tx.one("note_add", word=word, size=1)[0]
            tx.run("note_grow", id=note)
            tx.defer("trace_add", note_id=note, what=word)
        owner.write(work)
        with printing:
            print(word, flush=True)
        number += 1

for name in range(8):
    threading.Thread(target=client, args=(name,), daemon=True).start()
threading.Event().wait()
"""


def test_whatever_was_answered_is_there_after_a_kill_in_the_middle_of_groups(notes_file, tmp_path):
    acknowledged = []
    for _ in range(4):
        arguments = [tmp_path / "board.db", tmp_path / "sql", ROOT / "tests/store/engine_steps"]
        script = KILLED.format(root=str(ROOT)).replace(
            "{name} {number}", f"{len(acknowledged)} {{name}} {{number}}"
        )
        child = subprocess.Popen(
            [sys.executable, "-c", script, *arguments], stdout=subprocess.PIPE, text=True
        )
        with child:
            try:
                said = [child.stdout.readline() for _ in range(200)]
            finally:
                child.kill()
            said += child.stdout.readlines()
        # A last line may be cut in the middle; what is whole was acknowledged.
        acknowledged += [line.strip() for line in said if line.endswith("\n")]
    notes = notes_file()
    there = {word for (word,) in notes.read(lambda tx: tx.all("note_words"))}
    assert len(acknowledged) >= 800
    assert [word for word in acknowledged if word not in there] == []
    counts = notes.read(lambda tx: (tx.one("note_count"), tx.one("trace_count")))
    assert counts[0] == counts[1]
    assert notes.read(lambda tx: tx.all("engine_full_check", limit=5)) == [("ok",)]
