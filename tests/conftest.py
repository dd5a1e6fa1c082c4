"""What every test of the project gets: the database fixtures, and a guard for the user's own home.

Fixtures that only some suites need live in `tests/support` and are named by the suite's own
conftest.
"""

import os
import signal

from hypothesis import HealthCheck, settings

pytest_plugins = ["tests.support.postgres"]

# A test that forgets to say where its home is must fail, not write into the user's boards.
os.environ["SHOPFLOOR_HOME"] = "/nonexistent/shopfloor-home-of-a-test-that-named-none"

# Started in the background of a script, this process ignores Ctrl-C, and so would all that tests start and end
# with it.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# No test depends on absolute speed, so no example has a deadline.  `make soak` takes its time.
settings.register_profile("gate", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("soak", settings.get_profile("gate"), max_examples=20_000)
settings.load_profile("gate")
