"""Measure the board side by side with its peers: `python -m bench [NAME...] [--quick] [--json FILE]`.

Nothing here is a test.  A missed goal is printed as missed, and the exit status is 0; it is 1 only
when a measurement could not be made.  A peer that is not on this machine is said in the table.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from bench import machine, table
from bench.env import CouldNotMeasure, Env
from bench.figures import Outcome, Result
from bench.measurements import (
    api,
    backlog,
    clients,
    dashboard,
    deliveries,
    durability,
    idle,
    lifecycle,
    listing,
    orders,
    pickup,
    schedules,
    supervisors,
    throughput,
)

MEASUREMENTS = {
    "lifecycle": lifecycle,
    "clients": clients,
    "backlog": backlog,
    "pickup": pickup,
    "orders": orders,
    "throughput": throughput,
    "listing": listing,
    "idle": idle,
    "supervisors": supervisors,
    "durability": durability,
    "schedules": schedules,
    "api": api,
    "dashboard": dashboard,
    "deliveries": deliveries,
}


def main(arguments: Sequence[str]) -> int:
    """Measure what is named, or everything, and print the table."""
    chosen = parsed(arguments)
    signal.signal(signal.SIGTERM, leave)
    with Env.make(quick=chosen.quick) as env:
        facts = machine.facts(env.work)
        print(machine.sentence(facts), flush=True)
        outcomes = [measured(env, name) for name in chosen.names or MEASUREMENTS]
        facts["disturbance"] = machine.disturbance(facts, env.work)
    print(table.text(outcomes))
    if facts["disturbance"] is not None:
        print(facts["disturbance"])
    if chosen.quick:
        print("quick: short turns and few rounds; judge by a full run")
    if chosen.json is not None:
        told = json.dumps(table.as_json(outcomes, facts), indent=2)
        chosen.json.write_text(told + "\n", encoding="utf-8")
    return 1 if any(outcome.failure is not None for outcome in outcomes) else 0


def parsed(arguments: Sequence[str]) -> argparse.Namespace:
    """The command line."""
    about = "Measure the board side by side with its peers on this machine."
    parser = argparse.ArgumentParser(prog="python -m bench", description=about)
    known = ", ".join(MEASUREMENTS)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"only these: {known}")
    parser.add_argument("--quick", action="store_true", help="short turns, few rounds")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there, too")
    chosen = parser.parse_args(arguments)
    for name in chosen.names:
        if name not in MEASUREMENTS:
            parser.error(f"there is no measurement {name!r}; there are {known}")
    return chosen


def measured(env: Env, name: str) -> Outcome:
    """One measurement, or the reason why it could not be made."""
    module = MEASUREMENTS[name]
    about = (module.__doc__ or "").strip().partition("\n")[0].rstrip(".")
    env.say(f"bench: {name}")
    run: Callable[[Env], Result] = module.run
    begun = time.monotonic()
    try:
        result, failure = run(env), None
    except CouldNotMeasure as reason:
        result, failure = Result(()), str(reason)
    except Exception as reason:  # noqa: BLE001 - the others are measured all the same
        result, failure = Result(()), f"{type(reason).__name__}: {reason}"
    return Outcome(name, about, time.monotonic() - begun, result, failure)


def leave(*_: object) -> None:
    """End like an interrupt, so that what was started is stopped."""
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
