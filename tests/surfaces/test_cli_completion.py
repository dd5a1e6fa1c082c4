"""The completion script of bash does complete, asked in a real bash."""

import shutil
import subprocess
from typing import get_args

import pytest

from shopfloor.ops.lists import Sort
from shopfloor.surfaces.cli import completion
from shopfloor.surfaces.cli.client import Program
from tests.surfaces.cli_shop import Shop

BASH = shutil.which("bash") or "bash"


@pytest.fixture
def shop(tmp_path):
    return Shop(tmp_path / "home")


def complete(*words):
    """What bash offers with the cursor at the end of the last word."""
    asked = " ".join(f"'{word}'" for word in words)
    script = (
        f"{completion.script('bash', [])}\n"
        f"COMP_WORDS=(shop {asked}); COMP_CWORD={len(words)}; _shop\n"
        'printf "%s\\n" "${COMPREPLY[@]}"'
    )
    done = subprocess.run(
        [BASH, "-c", script], check=True, capture_output=True, text=True, timeout=120
    )
    assert done.stderr == ""
    return done.stdout.split()


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (["unb"], {"unblock"}),
        (["board", "cr"], {"create"}),
        (["list", "--sta"], {"--status"}),
        (["block", "4", "--ki"], {"--kind"}),
        (["block", "4", "--kind", "de"], {"dependency"}),
        (["board", "create", "x", "--data"], {"--database"}),
        (["completion", "z"], {"zsh"}),
        (["list", "--status", "tri"], {"triage"}),
        (["list", "--sort", "created"], {"created", "created-desc"}),
        (["help", "unb"], {"unblock"}),
        (["create", "x", "--assignee", ""], set()),
    ],
)
def test_a_word_that_was_begun_is_completed(words, offered):
    assert set(complete(*words)) == offered


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_script_is_what_its_shell_can_read(shell, tmp_path):
    """Checked by the shell itself where the machine has it."""
    path = tmp_path / f"shop.{shell}"
    path.write_text(completion.script(shell, []))
    program = shutil.which(shell)
    checked = [program, "-n", str(path)] if program else ["test", "-s", str(path)]
    subprocess.run(checked, check=True, timeout=120)


def test_what_is_suggested_is_what_the_board_takes(shop):
    for flag, words in completion.SUGGESTED.items():
        for word in words:
            assert shop("list", flag, word).code == 0
    assert completion.SUGGESTED["--sort"] == get_args(Sort)


def test_the_words_of_a_program_are_completed():
    def arguments(parser):
        parser.add_argument("action", choices=("install", "remove"))
        parser.add_argument("--with", choices=("cron", "systemd"))

    program = Program("service", "Keep it running.", arguments, lambda _: 0)
    assert "install remove --help --with" in completion.script("bash", [program])
    assert "'service --with') words=\"cron systemd\"" in completion.script("bash", [program])
