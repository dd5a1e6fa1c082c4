"""What the house tests look at: every file that git knows or would add, read once."""

import subprocess
from pathlib import Path

import pytest

from tests.tidy.python_rules import File

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def paths() -> list[str]:
    """The repository's files: tracked or new, not ignored, below the root."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    return sorted(path for path in set(listed.stdout.split("\0")) if (ROOT / path).is_file())


@pytest.fixture(scope="session")
def texts(paths: list[str]) -> dict[str, str]:
    """Path and text of every file that is text."""
    return {path: text for path in paths if (text := read(path)) is not None}


@pytest.fixture(scope="session")
def files(texts: dict[str, str]) -> list[File]:
    """Every Python file, taken apart once for all rules."""
    return [File(path, text) for path, text in texts.items() if path.endswith(".py")]


def read(path: str) -> str | None:
    """A file's text, or None for pictures and the like."""
    try:
        return (ROOT / path).read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return None
