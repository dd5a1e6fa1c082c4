"""The table on the terminal and the same in JSON."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any

from bench.figures import Figure, Line, Outcome

HEAD = ("measurement", "shopfloor", "peer", "peer's", "compared", "goal", "")
RIGHT = (1, 3, 4, 5)


def text(outcomes: Sequence[Outcome]) -> str:
    """The whole table with the notes of each measurement below its lines."""
    rows = [HEAD, *(cells(line) for outcome in outcomes for line in outcome.result.lines)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEAD))]
    said = [laid_out(HEAD, widths)]
    for outcome in outcomes:
        said += ["", f"{outcome.name}: {outcome.about}"]
        said += [laid_out(cells(line), widths) for line in outcome.result.lines]
        if outcome.failure is not None:
            said.append(f"  could not be measured: {outcome.failure}")
        said += [
            f"  {line.peer} is missing: {line.missing}"
            for line in outcome.result.lines
            if line.missing is not None
        ]
        said += [f"  {note}" for note in outcome.result.notes]
    return "\n".join([*said, "", summary(outcomes)])


def cells(line: Line) -> tuple[str, ...]:
    """One line's cells."""
    return (
        f"  {line.what}",
        shown(line.ours),
        line.peer,
        shown(line.theirs),
        shown(line.compared),
        "" if line.goal is None else str(line.goal),
        line.verdict,
    )


def shown(figure: Figure | None) -> str:
    """A figure, or nothing."""
    return "" if figure is None else str(figure)


def laid_out(row: Iterable[str], widths: Sequence[int]) -> str:
    """One line of the table, figures to the right."""
    parts = [
        cell.rjust(width) if column in RIGHT else cell.ljust(width)
        for column, (cell, width) in enumerate(zip(row, widths, strict=True))
    ]
    return "  ".join(parts).rstrip()


def summary(outcomes: Sequence[Outcome]) -> str:
    """The last line: how many goals were met, missed or could not be judged."""
    verdicts = [
        line.verdict
        for outcome in outcomes
        for line in outcome.result.lines
        if line.goal is not None
    ]
    failed = [outcome.name for outcome in outcomes if outcome.failure is not None]
    said = f"{verdicts.count('met')} goals met, {verdicts.count('missed')} missed"
    if verdicts.count("missing"):
        said += f", {verdicts.count('missing')} without their peer"
    if failed:
        said += f"; not measured: {', '.join(failed)}"
    return said


def as_json(outcomes: Sequence[Outcome], facts: dict[str, Any]) -> dict[str, Any]:
    """Everything the table says, for programs."""
    return {
        "machine": facts,
        "measurements": [
            {
                "name": outcome.name,
                "about": outcome.about,
                "seconds": round(outcome.seconds, 1),
                "failure": outcome.failure,
                "notes": list(outcome.result.notes),
                "lines": [
                    {**asdict(line), "verdict": line.verdict} for line in outcome.result.lines
                ],
            }
            for outcome in outcomes
        ],
    }
