"""A worker for tests: does the steps that its command line names, and writes down when it lived.

    worker.py NOTES STEP…

Its first act is to lock a file beside NOTES that belongs to its task.  The lock is inherited by what
the worker starts and ends with the last of these processes; a second worker of the task that finds it
taken writes "overlap".  Then it appends "start TASK RUN" to NOTES, does the steps, and appends
"end TASK RUN".  An appended line is one write, so lines of several workers never mix.

It runs without the site's packages (`python -I -S`), so that hundreds of them cost little.
"""

# pathlib would cost each worker more than all the rest of it.
# ruff: noqa: PTH110, PTH123, PTH208

import fcntl
import os
import signal
import sys
import time

TASK, RUN = os.environ["SHOPFLOOR_TASK"], os.environ.get("SHOPFLOOR_RUN", "check")
PAUSE_S = 0.005


def note(path: str, what: str) -> None:
    fd = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    os.write(fd, f"{what} {TASK} {RUN}\n".encode())
    os.close(fd)


def main(notes: str, steps: list[str]) -> None:
    lock = os.open(f"{notes}.{TASK}.lock", os.O_RDWR | os.O_CREAT, 0o600)
    os.set_inheritable(lock, True)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        note(notes, "overlap")
    note(notes, "start")
    status = 0
    for step in steps:
        name, _, word = step.partition(":")
        if name == "exit":
            status = int(word)
            break
        act(name, word, notes)
    note(notes, "end")
    sys.stdout.flush()
    os._exit(status)


def act(name: str, word: str, notes: str) -> None:
    if name in ALONE:
        ALONE[name](word)
    else:
        NOTING[name](notes, word)


def deaf(_word: str) -> None:
    """Hear no SIGTERM."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)


def sleep(_word: str) -> None:
    """Stay until somebody ends it."""
    while True:
        signal.pause()


def wait(path: str) -> None:
    """Go on when this file is there."""
    while not os.path.exists(path):
        time.sleep(PAUSE_S)


def signalled(number: str) -> None:
    """Die by a signal of its own."""
    os.kill(os.getpid(), int(number))


def touch(name: str) -> None:
    """Make a file."""
    os.close(os.open(name, os.O_WRONLY | os.O_CREAT, 0o600))


def say(text: str) -> None:
    """Print a line."""
    print(text, flush=True)


def shop(words: str) -> None:
    """Ask the board as a worker does, about its own task unless a number is named."""
    import subprocess  # noqa: PLC0415 - most workers ask nothing, and start sooner without it

    verb, *rest = words.split()
    named = [] if rest and rest[0].isdigit() else [TASK]
    command = ["shop", verb, *named, *rest]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    print(done.stdout, done.stderr, f"shop {verb} ended with {done.returncode}", flush=True)


def grandchild(notes: str, _word: str) -> None:
    """Leave a process in a session of its own that does not hear SIGTERM."""
    if os.fork() == 0:
        os.setsid()
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        note(notes, "grandchild")
        while True:
            signal.pause()


def together(notes: str, wanted: str) -> None:
    """Go on when so many workers have started; none of them ends before, so they live at once."""
    while True:
        with open(notes, encoding="utf-8") as file:
            words = [line.split()[0] for line in file]
        if words.count("start") >= int(wanted):
            return
        time.sleep(PAUSE_S)


def fail_first(notes: str, times: str) -> None:
    """End with status 1 in the first attempts of the task."""
    with open(notes, encoding="utf-8") as file:
        started = sum(line.split()[:2] == ["start", TASK] for line in file)
    if started <= int(times):
        note(notes, "end")
        os._exit(1)


def listing(_word: str) -> None:
    """Print the names in the workspace."""
    print(" ".join(sorted(os.listdir())), flush=True)


ALONE = {
    "list": listing,
    "deaf": deaf,
    "sleep": sleep,
    "wait": wait,
    "signal": signalled,
    "touch": touch,
    "say": say,
    "shop": shop,
}
NOTING = {"grandchild": grandchild, "note": note, "together": together, "fail-first": fail_first}


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
