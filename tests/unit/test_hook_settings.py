"""What a hook's table may say."""

import pytest

from shopfloor.config.reading import parse
from shopfloor.domain.errors import Invalid


def hooks(**tables):
    return parse({"hooks": tables}, "default").hooks


def test_a_hook_is_a_command_or_python():
    found = hooks(
        a={"command": ["x", "y"], "events": ["created"], "timeout": "5s"}, b={"python": "m:f"}
    )
    assert (found["a"].command, found["a"].timeout_ms) == (("x", "y"), 5_000)
    assert (found["b"].python, found["b"].events) == ("m:f", ())


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ({}, "hooks.x needs either `command`"),
        ({"command": ["a"], "python": "m:f"}, "hooks.x needs either"),
        ({"command": ["a"], "events": ["complete"]}, "did you mean 'completed'?"),
        ({"command": ["a"], "event": ["completed"]}, "did you mean 'events'?"),
        ({"command": "a"}, "hooks.x.command"),
        ({"command": ["a"], "timeout": 0}, "hooks.x.timeout_ms must be"),
        ({"command": ["a"], "retries": 6}, "hooks.x.retries must be"),
        ({"command": ["a"], "retries": -1}, "hooks.x.retries must be"),
        ({"command": ["a"], "behind_max": 0}, "hooks.x.behind_max must be"),
    ],
)
def test_what_makes_no_sense_is_refused_in_a_sentence(table, words):
    with pytest.raises(Invalid, match=words.replace("?", r"\?").replace("(", r"\(")):
        hooks(x=table)
    with pytest.raises(Invalid, match="must be a table"):
        parse({"hooks": {"x": []}}, "default")
