"""What runs inside a container: texts for its `/bin/sh`, the only program that an image must have beside `sleep`.

`KEEPER` is the first process.  It has the `WRAPPER` run, again and again, and collects whom others left.
The wrapper waits at the *door*, a pipe with a name in the container's folder, which both sides see.  What
comes through it is the name of an attempt, that is of three more pipes there: the *line* to its client, the
stream on which begin and end are *told*, and the command's *output*.  If nobody comes for so long, the
container ends: so it goes by itself when everyone else died.

The line carries the command, then names of signals for it, and its end means that nobody follows the command
any more: everything in the container but the keeper is killed.  When the command ends, whatever it left
behind is killed before the end is told; so the next command finds an empty container.  The command does not
have the stream of what is told; between begin and end a shell says there if a signal killed the command.  The
wrapper has to stand in a file, because some shells say that only of scripts.

A pipe that is opened for both directions is opened without waiting for the other side.  So each is opened
that way first: nothing in here ever waits for a client that is gone.

Where the engine runs in a machine of its own, its pipes are not ours.  There the `SLEEPER` is the first
process, which only keeps the time, and the engine's `exec` starts a wrapper for each command: without
arguments, with the line as its standard input, and with the other two as its own streams.
"""

BEGUN, ENDED = "shopfloor: begun", "shopfloor: ended"
DOOR, READY = "door", "ready"
LINE, TOLD, OUTPUT = "line", "told", "out"
CHECK_EVERY_S = 5
# A new container waits so long for its first command, however short it is kept after that.
FIRST_S = 60
# What the client leaves in the run's folder when no command began: a warm container was gone, which another
# start makes good, or a fresh one could not be used.
NOT_BEGUN, NOT_STARTED = "not_begun", "not_started"

# Who is not the first process of a container of its own would be killed, and kill others, by `kill -1`.
FIRST = "[ $$ = 1 ] || exit 1"

# Arguments of both: the container's folder, the seconds that it is kept, those that it waits for its first
# command; and those between two looks of the sleeper.
# A wrapper that was killed took everything else with it; any other end but a good one is that of the container.
KEEPER = f"""\
{FIRST}
exec 2>/dev/null 4<>"$1/{DOOR}" 5<>"$1/{READY}"
echo >&5
exec 5<&-
_left=$3
while :; do
  /bin/sh "$1/wrapper.sh" "$1" "$_left" <&4 4<&-
  case $? in 0 | 137) _left=$2 ;; *) exit ;; esac
done
"""

SLEEPER = f"""\
{FIRST}
_left=$3
while [ "$_left" -gt 0 ]; do
  sleep "$4" &
  if wait $! && ! kill -0 -1 2>/dev/null; then _left=$((_left - $4)); else _left=$2; fi
done
"""

# The timer is nobody's child, or some shells would tell of its end as if it were the command's.
WRAPPER = f"""\
if [ $# = 0 ]; then
  exec 3<&0 </dev/null
else
  exec 4<&0 </dev/null
  kill -KILL -1
  ( ( sleep "$2" && echo $$ >&4 ) & )
  while IFS= read -r _name <&4 && [ ! -p "$1/{LINE}.$_name" ]; do
    [ "$_name" != $$ ] || exit 3
  done
  kill -KILL -1
  exec 4<&- 5<>"$1/{LINE}.$_name" 6<>"$1/{OUTPUT}.$_name" 7<>"$1/{TOLD}.$_name"
  exec 3<"$1/{LINE}.$_name" >"$1/{OUTPUT}.$_name" 2>"$1/{TOLD}.$_name" 5<&- 6<&- 7<&-
fi
IFS= read -r _job <&3 || exit 1
( ( trap '' TERM INT HUP QUIT
    while IFS= read -r _signal <&3; do kill -"$_signal" -1; done
    kill -KILL -1 ) >/dev/null 2>&1 & )
trap : TERM INT HUP QUIT
echo '{BEGUN}' >&2
( exec 3<&-; eval "$_job" ) 2>&1
_status=$?
trap '' TERM INT HUP QUIT
kill -KILL -1 2>/dev/null
echo "{ENDED} $_status" >&2
exit 0
"""


def quoted(word: str) -> str:
    """The word as a shell reads it; lines stay one line, because the wrapper reads its job as one."""
    return "'" + word.replace("'", "'\\''").replace("\n", "'\"$_lf\"'") + "'"


def job(argv: tuple[str, ...], env: dict[str, str], cwd: str) -> str:
    """One line for the wrapper: enter the directory, set the variables, become the command."""
    variables = [f"{name}={quoted(value)}" for name, value in env.items() if _is_name(name)]
    export = f"export {' '.join(variables)}; " if variables else ""
    words = " ".join(quoted(word) for word in argv)
    # `_lf` is a line's end, made without one.
    return (
        f"_lf=$(printf '\\n.'); _lf=${{_lf%.}}; cd {quoted(cwd)} || exit 126; {export}exec {words}"
    )


def _is_name(name: str) -> bool:
    """Whether a shell takes it as a variable's name; others no shell could have set or passed on."""
    return name.isascii() and name.isidentifier()
