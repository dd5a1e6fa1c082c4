"""What the pages tell a newcomer to type, typed: each block in a shell, in the order of the page.

A block marked `sh` is run; one marked `console` shows what is not for a test (an installation, a
server's address).  Between two blocks the board comes to rest, as it does for a reader who types.
"""

import json
import os
import re
import signal
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from shopfloor.config import Home, reading
from shopfloor.runners import preset
from tests.support.waiting import eventually

ROOT = Path(__file__).resolve().parents[2]
TOOLS = str(Path(sys.executable).parent)
PAGES = ("README.md", "docs/start.md")
# What the page promises of some of its tasks.
ENDS = {
    "README.md": {"Add them up": "done", "Try twice": "done", "Go on in any case": "done"},
    "docs/start.md": {"Sum": "done", "Write two lines": "done", "Paint": "done"},
}
MOVING = ("ready", "running", "leaving")


class Reader:
    """Somebody who follows a page in a shell, with a home of their own."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self.folder = folder
        clean = {
            name: word for name, word in os.environ.items() if not name.startswith("SHOPFLOOR_")
        }
        self.place = Home(folder / "home")
        self.environment = {**clean, "SHOPFLOOR_HOME": str(self.place.root), "HOME": str(folder)}
        self.environment["PATH"] = f"{TOOLS}:{self.environment['PATH']}"

    def types(self, text: str) -> str:
        """Run a block; everything in it must succeed."""
        said = self.folder / "said"
        # A file and not a pipe: what the block leaves running would hold a pipe open.
        with said.open("w") as output:
            done = subprocess.run(
                ["bash", "-eu", "-c", text],
                cwd=self.folder, env=self.environment, check=False, timeout=280,
                stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
            )  # fmt: skip
        assert done.returncode == 0, f"{text}\n\n{said.read_text()}"
        return said.read_text()

    def rests(self) -> bool:
        """Whether nothing on the board moves by itself just now."""
        stats = json.loads(self.types("shop --json stats"))
        moves = [status for status in MOVING if stats["by_status"].get(status)]
        return not moves and stats["live_runs"] == 0

    def leave(self) -> None:
        subprocess.run(["shop", "down", "--stop-workers"], env=self.environment, check=True, timeout=280,
                       capture_output=True)  # fmt: skip


@pytest.fixture
def reader(tmp_path):
    one = Reader(tmp_path / "reader")
    yield one
    one.leave()


def blocks(page: str, language: str) -> list[str]:
    """The fenced blocks of a page in one language."""
    text = (ROOT / page).read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def without_ages(listed: str) -> list[str]:
    """The lines of a list without their ages, which depend on the moment."""
    return [re.sub(r"\s+\d+[smh] +", "  ", line).rstrip() for line in listed.splitlines()]


@pytest.mark.parametrize("page", PAGES)
def test_a_reader_can_type_what_the_page_says(page, reader):
    typed = blocks(page, "sh")
    assert typed
    is_up = False
    for block in typed:
        reader.types(block)
        is_up = (is_up or "shop up" in block) and "shop down" not in block
        if is_up:
            eventually(reader.place.socket.exists)
            eventually(reader.rests)
    shown = json.loads(reader.types("shop list --json"))["items"]
    assert {one["title"]: one["status"] for one in shown}.items() >= ENDS[page].items()


def test_the_board_in_the_readme_is_what_shop_prints(reader):
    reader.types(blocks("README.md", "sh")[0])
    eventually(reader.place.socket.exists)
    eventually(reader.rests)
    pictured = blocks("README.md", "text")[0]
    assert without_ages(reader.types("shop list")) == without_ages(pictured)


@pytest.mark.parametrize("page", sorted(str(one.relative_to(ROOT)) for one in
                                        [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]))  # fmt: skip
def test_configuration_on_a_page_is_taken_by_the_program(page):
    for block in blocks(page, "toml"):
        read = tomllib.loads(block)
        if "program" in read:
            preset.check(read)
            continue
        settings = reading.parse(read, "default")
        assert settings.warnings == ()


@pytest.mark.timeout(900)
def test_the_demo_keeps_every_promise(tmp_path):
    demo = [sys.executable, "-m", "examples.demo"]
    with subprocess.Popen(
        demo, cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        start_new_session=True, env={**os.environ, "DEMO_HOME": str(tmp_path / "demo")},
    ) as running:  # fmt: skip
        try:
            said, _ = running.communicate(timeout=800)
        finally:
            if running.poll() is None:
                os.killpg(running.pid, signal.SIGINT)
    assert running.returncode == 0, said
    assert "BROKEN" not in said
    assert said.count("\nok  ") >= 10
