"""What the generated pages are made of: a title, parts, tables."""

from collections.abc import Iterable, Sequence

MADE = "<!-- Made by `make docs` from the code; changes belong there. -->"


def page(title: str, *parts: str) -> str:
    """A page of Markdown with its title and its parts."""
    return "\n\n".join([MADE, f"# {title}", *parts]) + "\n"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table of Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(
        f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |" for line in lines
    )


def span(ms: int) -> str:
    """A duration as the configuration takes it."""
    for unit, size in (("h", 3_600_000), ("m", 60_000), ("s", 1_000)):
        if ms and ms % size == 0:
            return f"{ms // size}{unit}"
    return f"{ms}ms" if ms else "0"
