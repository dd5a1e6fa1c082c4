"""Starts the worker's program: a session of its own, the exact environment, a tie to this process.

Runs in the supervisor, which has one thread and nothing else to do meanwhile.  So the working
directory is entered here and left again, and the new process is made by `posix_spawn`: it borrows
our memory until it is the program, where a copy of this process would cost more than all the rest
of the start.  What goes wrong on the way is raised here.

That leaves no moment in which the worker itself could ask the kernel to die with its parent.  The
supervisor asks instead, see `tie`; in the instant before that the helper answers for the worker.
"""

# Supervisors load this file, and pathlib would cost each of them time and memory.
# ruff: noqa: PTH116

import contextlib
import errno
import fcntl
import os
import signal
import sys
from collections.abc import Callable
from typing import NamedTuple, NoReturn

from shopfloor.process.container_client import Client
from shopfloor.process.spec import MARKER_NAME, WorkerSpec

HOME = "/"
# A plain number: a name would be turned into one for each call.
KILL = int(signal.SIGKILL)
EXEC_FAILED = 127
ERRNO_BYTES_MAX = 16
# A supervisor and its helper hold few descriptors; numbers are given lowest first.
FIRST_OWN_DESCRIPTOR, DESCRIPTOR_NUMBER_MAX = 3, 1024
# Stands for a failure that is Python's own, not the system's.
NO_ERRNO = 0
# What Python raises for a command line that cannot be passed: of wrong types, empty, with a NUL.
UNFIT = (ValueError, TypeError, IndexError)


class Started(NamedTuple):
    """A worker that runs: the end of its pipe that we read, and the ends that tie it to this process."""

    pid: int
    output: int
    tied: tuple[int, int]


class NotStartedError(Exception):
    """No program runs; the message is the sentence for the exit record."""


def start(spec: WorkerSpec) -> Started:
    """Start the worker; NotStartedError with the reason when that cannot be."""
    client = None if spec.container is None else Client(spec)
    try:
        output, output_end = os.pipe() if client is None else client.output()
        ends = os.pipe()
    except OSError as error:
        raise NotStartedError(
            f"No process could be started for the worker: {error.strerror}."
        ) from error
    pid = _started(spec, output_end) if client is None else _held(client, output_end)
    tie(pid, ends)
    os.close(output_end)
    os.set_blocking(output, False)
    return Started(pid, output, ends)


def _started(spec: WorkerSpec, output: int) -> int:
    """Start the program in its directory; its number."""
    try:
        os.chdir(spec.cwd)
    except (OSError, *UNFIT) as error:
        raise NotStartedError(_cwd_sentence(spec.cwd, _code(error))) from error
    try:
        return _spawn(spec.argv, {**spec.env, MARKER_NAME: spec.marker}, output)
    except (OSError, *UNFIT) as error:
        raise NotStartedError(_exec_sentence(spec, _code(error))) from error
    finally:
        os.chdir(HOME)


def _held(client: Client, output: int) -> int:
    """Fork the client of a command in a container; it has nothing of ours open but the output."""

    def hold() -> NoReturn:
        os.closerange(FIRST_OWN_DESCRIPTOR, DESCRIPTOR_NUMBER_MAX)
        client.hold()

    try:
        return _forked(hold, output)
    except OSError as error:
        raise NotStartedError(
            f"No process could be started for the container's client: {error.strerror}."
        ) from error


def tie(group: int, ends: tuple[int, int]) -> None:
    """Let the kernel kill this process group when the present process ends, however it ends.

    Both ends of the pipe are held by this process and by nobody else, and nothing is ever written
    to it.  When the first of them is closed, the kernel tells whoever waits at the other: by
    SIGKILL to the group.  Elsewhere than on Linux a pipe knows no other signal than SIGIO; where it
    is refused, the helper alone answers for the worker, as it does there.
    """
    if sys.platform == "linux":
        with contextlib.suppress(OSError):
            for end in ends:
                fcntl.fcntl(end, fcntl.F_SETOWN, -group)
                fcntl.fcntl(end, fcntl.F_SETSIG, KILL)
                fcntl.fcntl(end, fcntl.F_SETFL, os.O_ASYNC)


def _spawn(argv: tuple[str, ...], environment: dict[str, str], output: int) -> int:
    """Start the program; a bare name is looked up in the worker's own PATH, not in ours."""
    program = argv[0]
    if "/" in program:
        return spawn_one(program, argv, environment, output)
    refused: OSError | None = None
    for folder in environment.get("PATH", os.defpath).split(os.pathsep):
        path = f"{folder}/{program}"
        try:
            # Cheaper than a process that finds nothing to become.
            os.stat(path)
            return spawn_one(path, argv, environment, output)
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError as error:
            refused = refused or error
    raise refused or FileNotFoundError(errno.ENOENT, "not found")


def _spawn_one(path: str, argv: tuple[str, ...], environment: dict[str, str], output: int) -> int:
    """Start this very file as the leader of a session; OSError when it did not become a program.

    The C library gives every signal that has a handler here its default again, and lets none
    through before that.
    """
    to_pipe = [(os.POSIX_SPAWN_DUP2, output, number) for number in (1, 2)]
    return os.posix_spawn(path, argv, environment, file_actions=to_pipe, setsid=True)


def fork_one(path: str, argv: tuple[str, ...], environment: dict[str, str], output: int) -> int:
    """Do the same by a fork, where it is not certain that the system's own way makes sessions."""
    return _forked(lambda: os.execve(path, argv, environment), output)  # noqa: S606 - this is the start itself


def _forked(become: Callable[[], NoReturn], output: int) -> int:
    """Fork the leader of a session that becomes something.

    The child says by a pipe what went wrong; the end of that pipe says that all went well.
    """
    told, tell = os.pipe()
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    pid = os.fork()
    if pid == 0:
        try:
            for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}:
                signal.signal(number, signal.SIG_DFL)
            signal.set_wakeup_fd(-1)
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)
            os.setsid()
            os.dup2(output, 1)
            os.dup2(output, 2)
            become()
        except BaseException as problem:  # noqa: BLE001 - a forked child must not return into our code
            os.write(tell, b"%d" % _code(problem))
        finally:
            os._exit(EXEC_FAILED)
    signal.pthread_sigmask(signal.SIG_SETMASK, mask)
    os.close(tell)
    code = os.read(told, ERRNO_BYTES_MAX)
    os.close(told)
    if not code:
        return pid
    os.waitpid(pid, 0)
    if int(code) == NO_ERRNO:
        raise ValueError("the command line cannot be passed to a program")
    raise OSError(int(code), os.strerror(int(code)))


spawn_one = _spawn_one if sys.platform == "linux" else fork_one


def _code(problem: BaseException) -> int:
    return (problem.errno if isinstance(problem, OSError) else None) or NO_ERRNO


def _cwd_sentence(cwd: str, code: int) -> str:
    if code == errno.ENOENT:
        return f"The working directory {cwd} does not exist; make it or name another."
    if code == errno.ENOTDIR:
        return f"The working directory {cwd} is not a folder; name another."
    return f"The working directory {cwd} cannot be entered: {os.strerror(code)}."


def _exec_sentence(spec: WorkerSpec, code: int) -> str:
    program = spec.argv[0] if spec.argv else ""
    if code == errno.ENOENT and "/" not in program:
        path = spec.env.get("PATH", os.defpath)
        return (
            f"The program {program!r} is not in the worker's PATH ({path}); "
            "install it or name its full path."
        )
    known = {
        errno.ENOENT: f"The program {program}, or the interpreter that its first line names, does "
        "not exist; install it or name another.",
        errno.EACCES: f"The program {program} may not be executed; check its permissions (chmod +x).",
        errno.ENOEXEC: f"The program {program} is not one that this machine can run; a script needs "
        "a #! line.",
        errno.E2BIG: "The command line and the environment together are too long for this system; "
        "pass long texts in files.",
        NO_ERRNO: f"The command line {list(spec.argv)!r:.200} cannot be passed to a program: it is "
        "empty, or it or the environment holds a NUL byte.",
    }
    return known.get(code, f"The program {program} could not be started: {os.strerror(code)}.")
