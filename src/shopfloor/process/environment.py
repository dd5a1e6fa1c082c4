"""What a worker may see of the dispatcher's environment: an allow-list, nothing else.

Secrets of the dispatcher and of other profiles do not pass.  What a profile or a task wants in
addition comes as `extra` and wins over the base.
"""

from collections.abc import Mapping

PASSED = frozenset(
    {
        "PATH",
        "HOME",
        "USER",
        "LOGNAME",
        "SHELL",
        "LANG",
        "TZ",
        "TERM",
        "COLORTERM",
        "TMPDIR",
    }
)
PASSED_PREFIXES = ("LC_", "XDG_")


def worker_environment(base: Mapping[str, str], extra: Mapping[str, str]) -> dict[str, str]:
    """Return a worker's whole environment."""
    passed = {
        name: base[name] for name in base if name in PASSED or name.startswith(PASSED_PREFIXES)
    }
    return passed | dict(extra)
