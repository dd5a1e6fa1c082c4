"""The board's tools for agents, by the Model Context Protocol."""
