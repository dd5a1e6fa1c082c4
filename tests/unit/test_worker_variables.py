"""The page of a worker's variables names exactly those that it gets."""

from shopfloor.domain.settings import Profile
from shopfloor.process.spec import MARKER_NAME
from shopfloor.runners import agent, command


def test_the_list_of_a_workers_variables_is_what_it_gets():
    place = command.Place("/home", "default", "/socket", "/work", "/context.md")
    given = command.agent_environment(
        command.Attempt(1, 1, 1, "token"), Profile("coder"), place, base={}, passed={}
    )
    named = {name for name in given if name.startswith("SHOPFLOOR_")}
    assert named | {MARKER_NAME, agent.MCP_URL, agent.MCP_TOKEN} == set(command.VARIABLES)
