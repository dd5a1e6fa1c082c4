"""What users get: the wheel, in an environment of its own, without the project beside it."""

import os
import signal
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

from tests.support.waiting import eventually

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    out = tmp_path_factory.mktemp("dist")
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(out)]
    done = subprocess.run([*build, str(ROOT)], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    (made,) = out.glob("shopfloor-*.whl")
    return made


@pytest.fixture(scope="module")
def shop(wheel, tmp_path_factory):
    """The console script of a fresh environment in which only the wheel was installed.

    What the wheel depends on is lent from the project's environment, so that nothing is fetched: a path
    in a `.pth` file, whose own `.pth` files (the project's among them) Python does not follow.
    """
    folder = tmp_path_factory.mktemp("fresh")
    venv.create(folder, symlinks=True, with_pip=False)
    pip = [sys.executable, "-m", "pip", "--python", str(folder / "bin" / "python"), "install"]
    quiet = ["--quiet", "--disable-pip-version-check", "--no-deps", "--no-index", str(wheel)]
    subprocess.run([*pip, *quiet], check=True, capture_output=True)
    (packages,) = folder.glob("lib/python*/site-packages")
    (packages / "lent.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return folder / "bin" / "shop"


def test_the_wheel_holds_the_package_and_nothing_else(wheel):
    with zipfile.ZipFile(wheel) as held:
        names = held.namelist()
    assert {name.split("/")[0].split("-")[0] for name in names} == {"shopfloor"}
    sources = {
        str(path.relative_to(ROOT / "src"))
        for path in (ROOT / "src" / "shopfloor").rglob("*")
        if path.is_file() and path.suffix in (".py", ".sql", ".jsonl", ".typed")
    }
    assert sources <= set(names)
    assert not [name for name in names if "__pycache__" in name]


def test_the_wheel_works_from_init_to_a_task_that_is_done(shop, tmp_path):
    clean = {
        name: os.environ[name] for name in ("PATH", "LANG", "LD_LIBRARY_PATH") if name in os.environ
    }
    surroundings = {**clean, "SHOPFLOOR_HOME": str(tmp_path / "home"), "HOME": str(tmp_path)}

    def run(*words):
        done = subprocess.run(
            [str(shop), *words], env=surroundings, cwd=tmp_path, check=False,
            capture_output=True, text=True, timeout=280,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout

    assert str(tmp_path / "home") in run("init")
    assert "#1" in run("create", "first", "--", "sh", "-c", "shop comment $SHOPFLOOR_TASK hello")
    with subprocess.Popen([str(shop), "up"], env=surroundings, cwd=tmp_path) as daemon:
        try:
            eventually(lambda: "done" in run("list"))
            assert "hello" in run("show", "1")
            assert run("fsck")
        finally:
            daemon.send_signal(signal.SIGTERM)
        assert daemon.wait(280) == 0
