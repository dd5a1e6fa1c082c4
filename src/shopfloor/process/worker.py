"""Starts the worker's program: fork, a session of its own, the exact environment, exec.

Runs in the supervisor.  The worker asks the kernel to be killed when its supervisor ends.  What
goes wrong between fork and exec comes back through a pipe that a successful exec closes, and is
read when the worker has ended: so nobody waits for the start.
"""

import errno
import os
import signal
from typing import NamedTuple, NoReturn

from shopfloor.process import syscalls
from shopfloor.process.inbox import Inbox
from shopfloor.process.spec import MARKER_NAME, WorkerSpec

EXEC_FAILED = 127
ERROR_BYTES_MAX = 64
# What comes back for a failure that is Python's own, not the system's.
NO_ERRNO = 0


class Started(NamedTuple):
    """A worker that was forked; `output` and `error` are the pipes' ends that we read."""

    pid: int
    output: int
    error: int


def start(spec: WorkerSpec, inbox: Inbox) -> Started:
    """Fork the worker; OSError when the system has no room for one more process or pipe."""
    environment = {**spec.env, MARKER_NAME: spec.marker}
    supervisor = os.getpid()
    output, output_end = os.pipe()
    error, error_end = os.pipe()
    pid = os.fork()
    if pid == 0:
        _become(spec, environment, inbox, supervisor=supervisor, output=output_end, error=error_end)
    os.close(output_end)
    os.close(error_end)
    os.set_blocking(output, False)
    return Started(pid, output, error)


def _become(
    spec: WorkerSpec,
    environment: dict[str, str],
    inbox: Inbox,
    *,
    supervisor: int,
    output: int,
    error: int,
) -> NoReturn:
    """Turn this forked child into the program; never returns.

    Handlers fall back to the defaults by themselves at exec, and nothing is ignored or blocked
    here.  A SIGTERM that came before its handler was taken away is heard now.
    """
    stage = "start"
    try:
        syscalls.die_with_parent(signal.SIGKILL)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        if os.getppid() != supervisor:
            os._exit(EXEC_FAILED)
        if inbox.take(signal.SIGTERM):
            os.kill(os.getpid(), signal.SIGTERM)
        os.setsid()
        os.dup2(output, 1)
        os.dup2(output, 2)
        stage = "cwd"
        os.chdir(spec.cwd)
        stage = "exec"
        _exec(spec.argv, environment)
    except BaseException as problem:  # noqa: BLE001 - a forked child must not return into our code
        code = (problem.errno if isinstance(problem, OSError) else None) or NO_ERRNO
        os.write(error, f"{stage} {code}".encode())
    finally:
        os._exit(EXEC_FAILED)


def _exec(argv: tuple[str, ...], environment: dict[str, str]) -> NoReturn:
    """Replace this process; looks a bare name up in the worker's own PATH, not in ours."""
    program = argv[0]
    if "/" in program:
        os.execve(program, argv, environment)  # noqa: S606 - this is the start itself
    refused: OSError | None = None
    for folder in environment.get("PATH", os.defpath).split(os.pathsep):
        try:
            os.execve(f"{folder}/{program}", argv, environment)  # noqa: S606 - as above
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError as error:
            refused = refused or error
    raise refused or FileNotFoundError(errno.ENOENT, "not found")


def start_error(spec: WorkerSpec, error: int) -> str | None:
    """Say in one sentence why the program did not start; None when it did.

    Called when the worker has ended.  Closes the pipe.
    """
    try:
        text = os.read(error, ERROR_BYTES_MAX)
    finally:
        os.close(error)
    if not text:
        return None
    stage, _, number = text.decode().partition(" ")
    code = int(number)
    if stage == "cwd":
        return _cwd_sentence(spec.cwd, code)
    if stage == "exec":
        return _exec_sentence(spec, code)
    return f"The worker could not be set up: {os.strerror(code)}."


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
