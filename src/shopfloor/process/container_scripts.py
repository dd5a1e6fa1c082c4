"""What runs inside a container: two texts for its `/bin/sh`, the only program that an image must have.

`KEEPER` is the first process of a warm container.  It sleeps, collects whom others left, and ends the
container when nothing has run in it for so long: so a container goes by itself when everyone else died.
An order's end kills its sleep too, which begins the time anew.

`WRAPPER` stands around one command.  Its standard input is a line with the command, then names of signals
for it, and its end means that nobody follows the command any more: everything in the container but the
keeper is killed.  When the command ends, whatever it left behind is killed before the end is told; so the
next command finds an empty container.  It tells the begin and the end on its standard error, which the
command does not have; between the two a shell says there if a signal killed the command.  It has to
stand in a file, because some shells say that only of scripts.
"""

BEGUN, ENDED = "shopfloor: begun", "shopfloor: ended"
CHECK_EVERY_S = 5
# A new container waits so long for its first command, however short it is kept after that.
FIRST_S = 60
# What the client leaves in the run's folder when no command began: a warm container was gone, which another
# start makes good, or a fresh one could not be used.
NOT_BEGUN, NOT_STARTED = "not_begun", "not_started"

KEEPER = """\
trap 'exit 0' TERM INT
left=$3
while [ "$left" -gt 0 ]; do
  sleep "$2" &
  if wait $! && ! kill -0 -1 2>/dev/null; then left=$((left - $2)); else left=$1; fi
done
"""

WRAPPER = f"""\
exec 3<&0 </dev/null
IFS= read -r job <&3 || exit 1
( ( trap '' TERM INT HUP QUIT
    while IFS= read -r signal <&3; do kill -"$signal" -$$; done
    kill -KILL -1 ) >/dev/null 2>&1 & )
trap : TERM INT HUP QUIT
echo '{BEGUN}' >&2
( exec 3<&-; eval "$job" ) 2>&1
status=$?
trap '' TERM INT HUP QUIT
kill -KILL -1 2>/dev/null
echo "{ENDED} $status" >&2
exit "$status"
"""


def quoted(word: str) -> str:
    """The word as a shell reads it; lines stay one line, because the wrapper reads its job as one."""
    return "'" + word.replace("'", "'\\''").replace("\n", "'\"$lf\"'") + "'"


def job(argv: tuple[str, ...], env: dict[str, str], cwd: str) -> str:
    """One line for the wrapper: enter the directory, set the variables, become the command."""
    variables = [f"{name}={quoted(value)}" for name, value in env.items() if _is_name(name)]
    export = f"export {' '.join(variables)}; " if variables else ""
    words = " ".join(quoted(word) for word in argv)
    # `lf` is a line's end, made without one.
    return f"lf=$(printf '\\n.'); lf=${{lf%.}}; cd {quoted(cwd)} || exit 126; {export}exec {words}"


def _is_name(name: str) -> bool:
    """Whether a shell takes it as a variable's name; others no shell could have set or passed on."""
    return name.isascii() and name.isidentifier()
