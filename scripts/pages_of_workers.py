"""The reference page of workers: what they find, how they report, and how their end is read."""

from page import page, table

from shopfloor.domain.outcomes import ENDINGS, EX_TEMPFAIL, Exit, classify
from shopfloor.ops.registry import everything
from shopfloor.runners.command import VARIABLES

ENDS = (
    ("it exits with 0", Exit(exit_code=0)),
    (f"it exits with {EX_TEMPFAIL} (EX_TEMPFAIL)", Exit(exit_code=EX_TEMPFAIL)),
    ("it exits with another status", Exit(exit_code=1)),
    ("it is killed by a signal", Exit(signal=9)),
    ("its maximum runtime is over", Exit(timed_out=True)),
    ("it is stopped from outside", Exit(stopped=True)),
    ("its program or workspace cannot be had", Exit(spawn_error="…")),
    ("its runner's startup guard refuses it", Exit(guard_refused="…")),
    ("nothing is left of it, not even a record", Exit(lost=True)),
)


def workers() -> str:
    """Variables, ways to report, exit statuses and endings."""
    reports = [
        (
            f"`shop {op.command}`",
            f"`{op.name.replace('.', '_')}`" if op.tools else "",
            op.doc.split("\n")[0],
        )
        for op in everything().values()
        if op.role == "worker" and op.command
    ]
    ends = [
        (words, *(f"`{classify(seen, is_command=kind)[0]}`" for kind in (True, False)))
        for words, seen in ENDS
    ]
    endings = [(f"`{name}`", one.sentence, f"`{one.outcome}`") for name, one in ENDINGS.items()]
    return page(
        "Workers",
        "A worker is the process of one run. This is all that passes between it and the board; see"
        " [the guide](../guides/workers.md) for how it is used, and [tools](tools.md) for what agents may call.",
        "## Variables",
        "In the environment of every worker:",
        table(("variable", "holds"), [(f"`{name}`", words) for name, words in VARIABLES.items()]),
        "## What a run may say",
        "With `SHOPFLOOR_RUN` and `SHOPFLOOR_TOKEN` in its environment `shop` speaks as the run; a tool does the"
        " same with the run's token as its bearer. A run that is over is refused.",
        table(("command", "tool", "what"), reports),
        "## How its end is read",
        "A command's exit status is its verdict. An agent's proves nothing: what it told the board counts, and then"
        " what its runner saw (below); the exit status decides only where there is neither.",
        table(("its end", "a command", "an agent without a word"), ends),
        "## What a runner reports of an agent",
        table(("ending", "means", "outcome"), endings),
    )
