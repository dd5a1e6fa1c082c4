"""`scripts/system-packages`, with an apt-get of the test's own that notes what it is asked for."""

import subprocess
from pathlib import Path

import pytest

from tests.support.waiting import eventually

SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "system-packages"
APT = """\
#!/bin/sh
for last; do :; done
case "$*" in *update*) echo update >>"$NOTES/asked"; exit 0 ;; esac
echo "install $last" >>"$NOTES/asked"
[ "$(grep -c install "$NOTES/asked")" -gt "$HICCUPS" ] || exit 100
until [ -e "$NOTES/go" ]; do /bin/sleep 0.01; done
printf '#!/bin/sh\\n' >"$PROGRAMS/wanted" && chmod +x "$PROGRAMS/wanted"
"""


class Machine:
    """A machine of root's without the program `wanted`, on which pauses take no time."""

    def __init__(self, folder, *, user=0, hiccups=0):
        self.notes, self.programs = folder / "notes", folder / "bin"
        self.notes.mkdir()
        self.programs.mkdir()
        self.provide("apt-get", APT)
        self.provide("id", f"#!/bin/sh\necho {user}\n")
        for quick in ("sleep", "dpkg"):
            self.provide(quick, "#!/bin/sh\n")
        self.environment = {
            "PATH": f"{self.programs}:/usr/bin:/bin",
            "DPKG_ADMINDIR": str(self.notes),
            "NOTES": str(self.notes),
            "PROGRAMS": str(self.programs),
            "HICCUPS": str(hiccups),
        }

    def provide(self, name, text):
        (self.programs / name).write_text(text)
        (self.programs / name).chmod(0o755)

    def let_go(self):
        (self.notes / "go").touch()

    def asked(self):
        asked = self.notes / "asked"
        return asked.read_text().splitlines() if asked.exists() else []

    def start(self):
        return subprocess.Popen(
            [str(SCRIPT), "wanted:package"],
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self):
        self.let_go()
        with self.start() as started:
            said = started.communicate()[1]
        return started.returncode, said


def test_a_program_that_is_there_asks_nobody(tmp_path):
    machine = Machine(tmp_path)
    machine.provide("wanted", "#!/bin/sh\n")
    assert machine.run() == (0, "")
    assert machine.asked() == []


@pytest.mark.parametrize("hiccups", [0, 1, 3])
def test_an_installation_that_fails_is_tried_again_with_fresh_lists(tmp_path, hiccups):
    machine = Machine(tmp_path, hiccups=hiccups)
    assert machine.run()[0] == 0
    assert machine.asked() == ["update", "install package"] * (hiccups + 1)


def test_what_cannot_be_had_at_all_is_one_sentence_after_four_tries(tmp_path):
    machine = Machine(tmp_path, hiccups=1000)
    status, said = machine.run()
    assert status == 1
    assert said.splitlines()[-1] == (
        "installing package failed 4 times; the messages of apt-get are above"
    )


def test_who_is_not_root_is_told_what_root_would_type(tmp_path):
    machine = Machine(tmp_path, user=1000)
    assert machine.run() == (
        1,
        "missing here, and only root may install them: apt-get install package\n",
    )
    assert machine.asked() == []


def test_of_two_who_install_at_once_the_second_finds_it_installed(tmp_path):
    machine = Machine(tmp_path)
    first = machine.start()
    eventually(lambda: "install package" in machine.asked())
    second = machine.start()
    machine.let_go()
    for one in (first, second):
        one.communicate()
    assert (first.returncode, second.returncode) == (0, 0)
    assert machine.asked() == ["update", "install package"]
