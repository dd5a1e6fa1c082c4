"""A model server and a shop floor for each test, without any network but loopback.

The real programs would otherwise ask for updates, send figures, or fetch what they miss.  Root can give
the test process a network of its own, where nothing but loopback exists; for anybody else each program
is told a proxy that is not there.
"""

import ctypes
import fcntl
import os
import socket
import struct
import tempfile
from pathlib import Path

import pytest

from tests.agents.floor import INSTALLED, Floor
from tests.agents.model_server import ModelServer

CLONE_NEWNET = 0x40000000
SIOCSIFFLAGS, IFF_UP_AND_RUNNING = 0x8914, 0x41
# Several waits for programs that a busy machine starts late.
TEST_S = 1200
NOWHERE = "http://127.0.0.1:9"
LOOPBACK = "127.0.0.1,localhost,::1"


def pytest_collection_modifyitems(items):
    """Give each test here the time that real programs take."""
    for item in items:
        if item.path.parent == Path(__file__).parent:
            item.add_marker(pytest.mark.timeout(TEST_S))


@pytest.fixture(scope="session", autouse=True)
def _loopback_only():
    """Leave the machine's network behind, before any thread or program of the suite is started."""
    if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNET) == 0:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
            up = struct.pack("16sh14x", b"lo", IFF_UP_AND_RUNNING)
            fcntl.ioctl(any_socket, SIOCSIFFLAGS, up)
        return
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"):
        os.environ[name] = NOWHERE
    os.environ["NO_PROXY"] = os.environ["no_proxy"] = LOOPBACK


@pytest.fixture(scope="session")
def _installed():
    missing = "the agent programs are not installed; run `make agents`"
    assert (INSTALLED / "claude").exists(), missing


@pytest.fixture
def models(tmp_path):
    with ModelServer(tmp_path / "models.jsonl") as server:
        yield server


@pytest.fixture
def floor(models, _installed):
    """A floor below the user's home: gemini reads no settings where others may write, as in /tmp."""
    place = Path.home() / ".cache" / "shopfloor-tests"
    place.mkdir(mode=0o700, parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(
        prefix="floor-", dir=place, ignore_cleanup_errors=True
    ) as folder:
        opened = Floor(Path(folder), models)
        yield opened
        opened.close()
