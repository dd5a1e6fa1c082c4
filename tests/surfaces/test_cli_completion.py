"""The completion script of bash does complete, asked in a real bash."""

import shutil
import subprocess

import pytest

from shopfloor.surfaces.cli import completion

BASH = shutil.which("bash") or "bash"


def complete(*words):
    """What bash offers with the cursor at the end of the last word."""
    asked = " ".join(f"'{word}'" for word in words)
    script = (
        f"{completion.script('bash', [])}\n"
        f"COMP_WORDS=(shop {asked}); COMP_CWORD={len(words)}; _shop\n"
        'printf "%s\\n" "${COMPREPLY[@]}"'
    )
    done = subprocess.run(
        [BASH, "-c", script], check=True, capture_output=True, text=True, timeout=30
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
    subprocess.run(checked, check=True, timeout=30)
